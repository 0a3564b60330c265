/**
 * Makes a role, which those whom its trust policy names may take.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
 */
import type { CreateRoleRequest, CreateRoleResponse } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { unsupportedParameter } from '../../lib/errors.ts'
import { checkName, checkPath, entityArn, entityExists, newEntityId } from '../entity.ts'
import { insertEntity, putRoleDetails } from '../entity-store.ts'
import { requireAllowed } from '../evaluate.ts'
import { requireAttachable } from '../find-policy.ts'
import { checkSessionMax, checkTrust, sessionSecondsUsual, viewRole } from '../trust.ts'

export const createRole = writeOperation<CreateRoleRequest, CreateRoleResponse>({
  service: 'iam',
  action: 'CreateRole',
  demands: () => [],
  owesNothing: true,

  async run({ tx, input, caller, now, randomBytes }) {
    if (input.Tags) throw unsupportedParameter('Tags')
    const { accountId } = caller
    const { PermissionsBoundary: boundaryArn, Description: description } = input
    const role = {
      id: newEntityId('role', randomBytes),
      accountId,
      kind: 'role',
      name: checkName('role', input.RoleName ?? '', 'roleName'),
      path: checkPath(input.Path ?? '/'),
      createdAt: now,
      boundaryArn,
    } as const
    const keys = { 'iam:PermissionsBoundary': boundaryArn }
    requireAllowed(caller, { action: 'iam:CreateRole', resource: entityArn(role) }, { keys })
    const details = {
      trustPolicy: checkTrust(input.AssumeRolePolicyDocument ?? ''),
      description,
      sessionSecondsMax: checkSessionMax(input.MaxSessionDuration ?? sessionSecondsUsual),
    }
    if (boundaryArn !== undefined) await requireAttachable(tx, boundaryArn, accountId)
    if (!(await insertEntity(tx, role))) throw entityExists('role', role.name)
    await putRoleDetails(tx, role.id, details)
    return { Role: viewRole(role, details) }
  },
})
