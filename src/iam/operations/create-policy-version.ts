/**
 * Gives a managed policy a further version, of at most five.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html
 */
import type { CreatePolicyVersionRequest, CreatePolicyVersionResponse } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { requireManaged, viewVersion } from '../find-managed.ts'
import { addVersion } from '../write-policy.ts'

export const createPolicyVersion = writeOperation<
  CreatePolicyVersionRequest,
  CreatePolicyVersionResponse
>({
  service: 'iam',
  action: 'CreatePolicyVersion',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input, now } = call
    const policy = await requireManaged(tx, call, 'CreatePolicyVersion', input.PolicyArn)
    const { PolicyDocument: document = '', SetAsDefault: setAsDefault = false } = input
    const version = await addVersion(tx, policy, { document, setAsDefault, now })
    const defaultVersion = setAsDefault ? version.version : policy.details.defaultVersion
    return { PolicyVersion: viewVersion(version, defaultVersion) }
  },
})
