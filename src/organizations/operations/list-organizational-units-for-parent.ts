/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListOrganizationalUnitsForParent.html */
import type {
  ListOrganizationalUnitsForParentRequest,
  ListOrganizationalUnitsForParentResponse,
} from '@aws-sdk/client-organizations'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { pageLimits, readCount } from '../organization.ts'
import { requireViewed, requireParent } from '../standing.ts'
import { listUnits } from '../store.ts'
import { viewUnit } from '../view.ts'

export const listOrganizationalUnitsForParent = readOperation<
  ListOrganizationalUnitsForParentRequest,
  ListOrganizationalUnitsForParentResponse
>({
  service: 'organizations',
  action: 'ListOrganizationalUnitsForParent',

  async run({ db, input, caller }) {
    const { ParentId = '', NextToken } = input
    const MaxResults = readCount(input.MaxResults)
    const organization = await requireViewed(db, caller.accountId)
    await requireParent(db, organization, ParentId)
    const units = await listUnits(db, { organizationId: organization.id, parentId: ParentId })
    const { items, ...next } = page(units, { MaxResults, NextToken }, ({ id }) => id, pageLimits)
    return { OrganizationalUnits: items.map((unit) => viewUnit(organization, unit)), ...next }
  },
})
