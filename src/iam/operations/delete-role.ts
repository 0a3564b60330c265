/**
 * Deletes a role without policies. Whoever has taken it can do nothing any more.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
 */
import type { DeleteRoleRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { requireRole } from '../find-role.ts'
import { removeEntity } from '../remove.ts'

export const deleteRole = writeOperation<DeleteRoleRequest, void>({
  service: 'iam',
  action: 'DeleteRole',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { role } = await requireRole(call.tx, call, 'DeleteRole', call.input.RoleName)
    await removeEntity(call.tx, role)
  },
})
