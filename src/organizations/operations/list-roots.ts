/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListRoots.html */
import type { ListRootsRequest, ListRootsResponse } from '@aws-sdk/client-organizations'

import { readOperation } from '../../wire/operation.ts'
import { listEnabledTypes } from '../policy-store.ts'
import { requireViewed } from '../standing.ts'
import { viewRoot } from '../view.ts'

export const listRoots = readOperation<ListRootsRequest, ListRootsResponse>({
  service: 'organizations',
  action: 'ListRoots',

  async run({ db, caller }) {
    const organization = await requireViewed(db, caller.accountId)
    return { Roots: [viewRoot(organization, await listEnabledTypes(db, organization.id))] }
  },
})
