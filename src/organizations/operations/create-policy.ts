/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html */
import type { CreatePolicyRequest, CreatePolicyResponse } from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { checkLength } from '../organization.ts'
import {
  checkContent,
  checkDescription,
  duplicatePolicy,
  fullAccess,
  newPolicyId,
  nameLengthMax,
  type OrganizationPolicy,
  policyTypes,
  readPolicyType,
} from '../policy.ts'
import { insertPolicy, listPolicies } from '../policy-store.ts'
import { viewPolicy } from '../policy-view.ts'
import { readResourceTags } from '../resource-tags.ts'
import { requireAllFeatures, requireManaged } from '../standing.ts'
import { setTags } from '../tag-store.ts'

export const createOrganizationPolicy = writeOperation<CreatePolicyRequest, CreatePolicyResponse>({
  service: 'organizations',
  action: 'CreatePolicy',

  async run({ tx, input, caller, now, randomBytes }) {
    const { Name = '', Description = '', Content = '' } = input
    const organization = await requireManaged(tx, caller.accountId)
    const organizationId = organization.id
    requireAllFeatures(organization)
    const type = readPolicyType(input.Type)
    const policy: OrganizationPolicy = {
      id: newPolicyId(randomBytes(8)),
      type,
      name: checkLength(Name, 'Name', nameLengthMax),
      description: checkDescription(Description),
      content: checkContent(type, Content),
      changedAt: now,
    }
    const tags = readResourceTags(input.Tags)
    if (type === fullAccess.type && policy.name === fullAccess.name) throw duplicatePolicy()
    const policies = await listPolicies(tx, { organizationId, type })
    if (policies.length >= policyTypes[type].policiesMax) {
      throw new ApiError(
        'ConstraintViolationException',
        'You have exceeded the number of policies that you can have in an organization.',
        { reason: 'POLICY_NUMBER_LIMIT_EXCEEDED' },
      )
    }
    await insertPolicy(tx, organizationId, policy)
    await setTags(tx, { organizationId, resourceId: policy.id }, tags)
    return { Policy: viewPolicy(organization, policy) }
  },
})
