/**
 * Changes the description of a role, or how long it may be taken for.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html
 */
import type { UpdateRoleRequest, UpdateRoleResponse } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { putRoleDetails } from '../entity-store.ts'
import { requireRole } from '../find-role.ts'
import { checkSessionMax, sessionSecondsUsual } from '../trust.ts'

export const updateRole = writeOperation<UpdateRoleRequest, UpdateRoleResponse>({
  service: 'iam',
  action: 'UpdateRole',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input } = call
    const { role, details } = await requireRole(tx, call, 'UpdateRole', input.RoleName)
    const { Description: description = details.description } = input
    // AWS sets what is left out back to an hour.
    const sessionSecondsMax = checkSessionMax(input.MaxSessionDuration ?? sessionSecondsUsual)
    await putRoleDetails(tx, role.id, { ...details, description, sessionSecondsMax })
    return {}
  },
})
