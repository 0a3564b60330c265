/** The association that a call names. */
import type { Database } from '../db/database.ts'
import type { CallContext } from '../wire/operation.ts'
import { type Association, associationNotFound, parseAssociationId } from './association.ts'
import { listAssociations } from './store.ts'

export async function findAssociation(
  db: Database,
  { caller, region }: Pick<CallContext, 'caller' | 'region'>,
  text: string,
): Promise<Association | undefined> {
  const id = parseAssociationId(text)
  const all = await listAssociations(db, { accountId: caller.accountId, region })
  return all.find((association) => association.id === id)
}

export async function requireAssociation(
  db: Database,
  call: Pick<CallContext, 'caller' | 'region'>,
  text: string,
): Promise<Association> {
  const found = await findAssociation(db, call, text)
  if (!found) throw associationNotFound(text)
  return found
}
