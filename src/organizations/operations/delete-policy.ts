/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_DeletePolicy.html */
import type { DeletePolicyRequest } from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { immutablePolicy, isManaged } from '../policy.ts'
import { deletePolicy, listAttachments } from '../policy-store.ts'
import { requireManaged, requirePolicy } from '../standing.ts'
import { setTags } from '../tag-store.ts'

export const deleteOrganizationPolicy = writeOperation<DeletePolicyRequest, undefined>({
  service: 'organizations',
  action: 'DeletePolicy',

  async run({ tx, input, caller }) {
    const organization = await requireManaged(tx, caller.accountId)
    const organizationId = organization.id
    const policy = await requirePolicy(tx, organization, input.PolicyId)
    if (isManaged(policy)) throw immutablePolicy()
    const attached = await listAttachments(tx, { organizationId, policyId: policy.id })
    if (attached.length > 0) {
      throw new ApiError(
        'PolicyInUseException',
        'The policy is attached to one or more entities. You must detach it from all roots, OUs, ' +
          'and accounts before performing this operation.',
      )
    }
    await deletePolicy(tx, policy.id)
    await setTags(tx, { organizationId, resourceId: policy.id }, [])
    return undefined
  },
})
