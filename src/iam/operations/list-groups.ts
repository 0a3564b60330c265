/**
 * The groups of the account, by their names.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroups.html
 */
import type { ListGroupsRequest, ListGroupsResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { foldName } from '../entity.ts'
import { listEntities } from '../entity-store.ts'
import { requireAllowed } from '../evaluate.ts'
import { pageOf } from '../list-page.ts'
import { viewGroup } from '../view.ts'

export const listGroups = readOperation<ListGroupsRequest, ListGroupsResponse>({
  service: 'iam',
  action: 'ListGroups',
  demands: () => [],

  async run({ db, input, caller }) {
    const { accountId } = caller
    const { PathPrefix: pathPrefix = '/' } = input
    const resource = `arn:aws:iam::${accountId}:group${pathPrefix}`
    requireAllowed(caller, { action: 'iam:ListGroups', resource })
    const groups = await listEntities(db, { accountId, kind: 'group', pathPrefix })
    const { items, ...rest } = pageOf(groups, input, ({ name }) => foldName(name))
    return { Groups: items.map(viewGroup), ...rest }
  },
})
