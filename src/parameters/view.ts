/** A parameter as SSM answers it. */
import type {
  Parameter as ParameterOutput,
  ParameterHistory,
  ParameterMetadata,
} from '@aws-sdk/client-ssm'
import { parameterArn, type ParameterVersion } from './parameter.ts'

export function viewParameter(parameter: ParameterVersion, selector?: string): ParameterOutput {
  return {
    ...common(parameter),
    ARN: parameterArn(parameter),
    Value: parameter.value,
    ...(selector !== undefined && { Selector: `:${selector}` }),
  }
}

export function viewMetadata(parameter: ParameterVersion): ParameterMetadata {
  return { ...common(parameter), ...details(parameter), ARN: parameterArn(parameter) }
}

export function viewHistory(parameter: ParameterVersion): ParameterHistory {
  return {
    ...common(parameter),
    ...details(parameter),
    Value: parameter.value,
    Labels: [...parameter.labels],
  }
}

const common = (parameter: ParameterVersion) => ({
  Name: parameter.name,
  Type: parameter.type,
  Version: parameter.version,
  LastModifiedDate: parameter.modifiedAt,
  DataType: parameter.dataType,
})

const details = (parameter: ParameterVersion) => ({
  LastModifiedUser: parameter.modifiedBy,
  KeyId: parameter.keyId,
  Description: parameter.description,
  AllowedPattern: parameter.allowedPattern,
  Tier: parameter.tier,
  Policies: [],
})
