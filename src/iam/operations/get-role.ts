/**
 * Tells of a role, and who may take it.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
 */
import type { GetRoleRequest, GetRoleResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { requireRole } from '../find-role.ts'
import { listEntityTags } from '../tag-store.ts'
import { viewRole } from '../trust.ts'

export const getRole = readOperation<GetRoleRequest, GetRoleResponse>({
  service: 'iam',
  action: 'GetRole',
  demands: () => [],

  async run(call) {
    const { role, details } = await requireRole(call.db, call, 'GetRole', call.input.RoleName)
    return { Role: viewRole(role, details, await listEntityTags(call.db, role.id)) }
  },
})
