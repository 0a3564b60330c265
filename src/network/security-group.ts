/** A security group: a named set of rules in a VPC, for the interfaces that are in it. */
import { ApiError } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'

export interface SecurityGroup {
  readonly id: Id<'security-group'>
  readonly accountId: string
  readonly region: string
  readonly vpcId: Id<'vpc'>
  readonly name: string
  readonly description: string
}

/** Each VPC has a group of this name. It cannot be deleted. */
export const defaultGroupName = 'default'

export const groupsMax = 2500
const lengthMax = 255

export function parseGroupId(text: string): Id<'security-group'> {
  if (isId('security-group', text)) return text
  throw new ApiError('InvalidGroupId.Malformed', `Invalid id: "${text}" (expecting "sg-...")`)
}

/** Refuses what no group of a VPC can be called. */
export function checkGroupName(name: string): void {
  if (name === defaultGroupName) {
    throw new ApiError('InvalidParameterValue', `Cannot use reserved security group name: ${name}`)
  }
  if (name.startsWith('sg-')) {
    throw new ApiError(
      'InvalidParameterValue',
      `Value (${name}) for parameter GroupName is invalid. Group names may not be in the format sg-*.`,
    )
  }
  checkText('GroupName', name)
}

export function checkGroupDescription(description: string): void {
  checkText('GroupDescription', description)
}

function checkText(parameter: string, text: string): void {
  if (text.length > lengthMax) {
    throw new ApiError(
      'InvalidParameterValue',
      `Value (${text}) for parameter ${parameter} is invalid. Character sets beyond ${lengthMax} characters are not supported.`,
    )
  }
  if (/^[a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]*$/.test(text)) return
  throw new ApiError(
    'InvalidParameterValue',
    `Value (${text}) for parameter ${parameter} is invalid. Character sets beyond ASCII are not supported.`,
  )
}

export function groupNotFound(idOrName: string): ApiError {
  return new ApiError('InvalidGroup.NotFound', `The security group '${idOrName}' does not exist`)
}

export function groupExists(name: string, vpcId: string): ApiError {
  return new ApiError(
    'InvalidGroup.Duplicate',
    `The security group '${name}' already exists for VPC '${vpcId}'`,
  )
}
