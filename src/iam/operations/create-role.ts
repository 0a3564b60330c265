/**
 * Makes a role, which those whom its trust policy names may take.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
 */
import type { CreateRoleRequest, CreateRoleResponse } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { tagsOfRequest } from '../ec2-resources.ts'
import { checkName, checkPath, entityArn, entityExists, newEntityId } from '../entity.ts'
import { insertEntity, putRoleDetails } from '../entity-store.ts'
import { requireAllowed } from '../evaluate.ts'
import { requireAttachable } from '../find-policy.ts'
import { readEntityTags } from '../tag-rules.ts'
import { putEntityTags } from '../tag-store.ts'
import { checkSessionMax, checkTrust, sessionSecondsUsual, viewRole } from '../trust.ts'

export const createRole = writeOperation<CreateRoleRequest, CreateRoleResponse>({
  service: 'iam',
  action: 'CreateRole',
  demands: () => [],
  owesNothing: true,

  async run({ tx, input, caller, now, randomBytes }) {
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
    const tags = readEntityTags(input.Tags)
    const tagKeys = tags.length > 0 ? tagsOfRequest(tags) : {}
    const keys = { 'iam:PermissionsBoundary': boundaryArn, ...tagKeys }
    const resource = entityArn(role)
    requireAllowed(caller, { action: 'iam:CreateRole', resource }, { keys })
    if (tags.length > 0) requireAllowed(caller, { action: 'iam:TagRole', resource }, { keys })
    const details = {
      trustPolicy: checkTrust(input.AssumeRolePolicyDocument ?? ''),
      description,
      sessionSecondsMax: checkSessionMax(input.MaxSessionDuration ?? sessionSecondsUsual),
    }
    if (boundaryArn !== undefined) await requireAttachable(tx, boundaryArn, accountId)
    if (!(await insertEntity(tx, role))) throw entityExists('role', role.name)
    await putRoleDetails(tx, role.id, details)
    await putEntityTags(tx, role.id, tags)
    return { Role: viewRole(role, details, tags) }
  },
})
