/**
 * The roles of the account, by their names.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
 */
import type { ListRolesRequest, ListRolesResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { foldName } from '../entity.ts'
import { findRoleDetails, listEntities } from '../entity-store.ts'
import { requireAllowed } from '../evaluate.ts'
import { pageOf } from '../list-page.ts'
import { viewRole } from '../trust.ts'

export const listRoles = readOperation<ListRolesRequest, ListRolesResponse>({
  service: 'iam',
  action: 'ListRoles',
  demands: () => [],

  async run({ db, input, caller }) {
    const { accountId } = caller
    const { PathPrefix: pathPrefix = '/' } = input
    const resource = `arn:aws:iam::${accountId}:role${pathPrefix}`
    requireAllowed(caller, { action: 'iam:ListRoles', resource })
    const roles = await listEntities(db, { accountId, kind: 'role', pathPrefix })
    const { items, ...rest } = pageOf(roles, input, ({ name }) => foldName(name))
    const Roles = []
    for (const role of items) {
      const details = await findRoleDetails(db, role.id)
      // Lists leave the boundaries out.
      if (details) Roles.push(viewRole({ ...role, boundaryArn: undefined }, details))
    }
    return { Roles, ...rest }
  },
})
