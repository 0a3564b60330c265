/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListRoots.html */
import type { ListRootsRequest, ListRootsResponse } from '@aws-sdk/client-organizations'
import { readOperation } from '../../wire/operation.ts'
import { requireManaged } from '../standing.ts'
import { viewRoot } from '../view.ts'

export const listRoots = readOperation<ListRootsRequest, ListRootsResponse>({
  service: 'organizations',
  action: 'ListRoots',

  async run({ db, caller }) {
    return { Roots: [viewRoot(await requireManaged(db, caller.accountId))] }
  },
})
