/** For tests: an account that is closed. */
import type { Tx } from '../db/database.ts'
import { insertMember, insertOrganization, setClosure } from './store.ts'

/** Puts an account into an organization of its own, and closes it. */
export async function putClosed(tx: Tx, accountId: string): Promise<void> {
  const organizationId = 'o-abcdefghij'
  const at = new Date(1_000_000)
  await insertOrganization(tx, {
    id: organizationId,
    managementAccountId: '999999999999',
    rootId: 'r-abcd',
    featureSet: 'ALL',
    createdAt: at,
  })
  await insertMember(tx, {
    accountId,
    organizationId,
    parentId: 'r-abcd',
    name: 'closed',
    email: 'closed@example.com',
    joinedMethod: 'CREATED',
    joinedAt: at,
    closure: undefined,
  })
  await setClosure(tx, accountId, { from: undefined, to: 'pending' })
}
