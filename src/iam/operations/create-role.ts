/**
 * Makes a role, which those whom its trust policy names may take.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
 */
import type { CreateRoleRequest, CreateRoleResponse } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { putRoleDetails } from '../entity-store.ts'
import { makeEntity, newEntity } from '../make-entity.ts'
import { checkSessionMax, checkTrust, sessionSecondsUsual, viewRole } from '../trust.ts'

export const createRole = writeOperation<CreateRoleRequest, CreateRoleResponse>({
  service: 'iam',
  action: 'CreateRole',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input } = call
    const made = newEntity(call, 'role', input.RoleName)
    const details = {
      trustPolicy: checkTrust(input.AssumeRolePolicyDocument ?? ''),
      description: input.Description,
      sessionSecondsMax: checkSessionMax(input.MaxSessionDuration ?? sessionSecondsUsual),
    }
    await makeEntity(tx, made)
    await putRoleDetails(tx, made.entity.id, details)
    return { Role: viewRole(made.entity, details, made.tags) }
  },
})
