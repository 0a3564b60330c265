/**
 * Says anew who may take a role.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html
 */
import type { UpdateAssumeRolePolicyRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { putRoleDetails } from '../entity-store.ts'
import { requireRole } from '../find-role.ts'
import { checkTrust } from '../trust.ts'

export const updateAssumeRolePolicy = writeOperation<UpdateAssumeRolePolicyRequest, void>({
  service: 'iam',
  action: 'UpdateAssumeRolePolicy',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input } = call
    const found = await requireRole(tx, call, 'UpdateAssumeRolePolicy', input.RoleName)
    const trustPolicy = checkTrust(input.PolicyDocument ?? '')
    await putRoleDetails(tx, found.role.id, { ...found.details, trustPolicy })
  },
})
