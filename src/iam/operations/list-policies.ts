/**
 * The managed policies of the account and those that every account has.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html
 */
import type { ListPoliciesRequest, ListPoliciesResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { awsPolicies } from '../aws-policies.ts'
import { entityArn } from '../entity.ts'
import { listEntities } from '../entity-store.ts'
import { requireAllowed } from '../evaluate.ts'
import { countUses, type Found, viewPolicy } from '../find-managed.ts'
import { pageOf } from '../list-page.ts'
import { findPolicyDetails } from '../policy-store.ts'

export const listPolicies = readOperation<ListPoliciesRequest, ListPoliciesResponse>({
  service: 'iam',
  action: 'ListPolicies',
  demands: () => [],

  async run({ db, input, caller }) {
    const { accountId } = caller
    const { Scope = 'All', PathPrefix: pathPrefix = '/', OnlyAttached, PolicyUsageFilter } = input
    const resource = `arn:aws:iam::${accountId}:policy${pathPrefix}`
    requireAllowed(caller, { action: 'iam:ListPolicies', resource })
    const all: Found[] = []
    if (Scope !== 'Local' && pathPrefix === '/') {
      for (const [arn, document] of awsPolicies) all.push({ arn, isOfAws: true, document })
    }
    if (Scope !== 'AWS') {
      for (const entity of await listEntities(db, { accountId, kind: 'policy', pathPrefix })) {
        const details = await findPolicyDetails(db, entity.id)
        if (details) all.push({ arn: entityArn(entity), isOfAws: false, entity, details })
      }
    }
    const wanted = []
    for (const found of all) {
      const counts = await countUses(db, found.arn, accountId)
      const isAttached = counts.AttachmentCount > 0
      const isBoundary = counts.PermissionsBoundaryUsageCount > 0
      if (OnlyAttached && !isAttached && !isBoundary) continue
      if (PolicyUsageFilter === 'PermissionsPolicy' && !isAttached) continue
      if (PolicyUsageFilter === 'PermissionsBoundary' && !isBoundary) continue
      wanted.push({ arn: found.arn, view: { ...viewPolicy(found), ...counts } })
    }
    const { items, ...rest } = pageOf(wanted, input, ({ arn }) => arn)
    return { Policies: items.map(({ view }) => view), ...rest }
  },
})
