/**
 * Lets another version of a managed policy count.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html
 */
import type { SetDefaultPolicyVersionRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { parseVersion, requireManaged } from '../find-managed.ts'
import { setDefaultVersion } from '../write-policy.ts'

export const setDefaultPolicyVersion = writeOperation<SetDefaultPolicyVersionRequest, void>({
  service: 'iam',
  action: 'SetDefaultPolicyVersion',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input, now } = call
    const policy = await requireManaged(tx, call, 'SetDefaultPolicyVersion', input.PolicyArn)
    await setDefaultVersion(tx, policy, { version: parseVersion(input.VersionId), now })
  },
})
