/**
 * Deletes a version of a managed policy that is not its default one.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html
 */
import type { DeletePolicyVersionRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { parseVersion, requireManaged } from '../find-managed.ts'
import { removeVersion } from '../write-policy.ts'

export const deletePolicyVersion = writeOperation<DeletePolicyVersionRequest, void>({
  service: 'iam',
  action: 'DeletePolicyVersion',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input } = call
    const policy = await requireManaged(tx, call, 'DeletePolicyVersion', input.PolicyArn)
    await removeVersion(tx, policy, parseVersion(input.VersionId))
  },
})
