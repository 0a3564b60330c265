/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_UpdatePolicy.html */
import type { UpdatePolicyRequest, UpdatePolicyResponse } from '@aws-sdk/client-organizations'

import { writeOperation } from '../../wire/operation.ts'
import { declarativeType, redeclare } from '../declared.ts'
import { checkLength } from '../organization.ts'
import {
  checkContent,
  checkDescription,
  duplicatePolicy,
  immutablePolicy,
  isManaged,
  nameLengthMax,
  type OrganizationPolicy,
} from '../policy.ts'
import { changePolicy, listPolicies } from '../policy-store.ts'
import { viewPolicy } from '../policy-view.ts'
import { requireManaged, requirePolicy } from '../standing.ts'

export const updateOrganizationPolicy = writeOperation<UpdatePolicyRequest, UpdatePolicyResponse>({
  service: 'organizations',
  action: 'UpdatePolicy',

  async run({ tx, input, caller, now }) {
    const { PolicyId, Name, Description, Content } = input
    const organization = await requireManaged(tx, caller.accountId)
    const organizationId = organization.id
    const before = await requirePolicy(tx, organization, PolicyId)
    if (isManaged(before)) throw immutablePolicy()
    const { type } = before
    const policy: OrganizationPolicy = {
      ...before,
      ...(Name !== undefined && { name: checkLength(Name, 'Name', nameLengthMax) }),
      ...(Description !== undefined && { description: checkDescription(Description) }),
      ...(Content !== undefined && { content: checkContent(type, Content) }),
      changedAt: now,
    }
    const all = await listPolicies(tx, { organizationId, type })
    if (all.some(({ id, name }) => id !== policy.id && name === policy.name))
      throw duplicatePolicy()
    await changePolicy(tx, policy)
    if (type === declarativeType) await redeclare(tx, organizationId)
    return { Policy: viewPolicy(organization, policy) }
  },
})
