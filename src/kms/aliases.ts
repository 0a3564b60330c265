/** What the calls that put aliases on keys have in common. */
import type { Database, Tx } from '../db/database.ts'
import { type Demand, demandOn } from '../iam/demand.ts'
import type { Caller } from '../iam/evaluate.ts'
import { ApiError } from '../lib/errors.ts'
import { aliasArn } from './alias.ts'
import { countAliasesOfKey } from './alias-store.ts'
import { hereOf, onKey, requireKeyById } from './find.ts'
import { aliasesOfKeyMax, checkNotPending, type Key, keyArn, validation } from './key.ts'

interface Call {
  readonly caller: Caller
  readonly region: string
  readonly input: unknown
}

/** Who changes an alias needs to be allowed so on the alias and on the keys. */
export async function onAlias(
  action: string,
  name: string | undefined,
  key: string | undefined,
  call: Call & { readonly db: Database },
): Promise<readonly Demand[]> {
  const resource = aliasArn({ ...hereOf(call), name: name ?? '' })
  const onTarget = key && !isAlias(key) ? await onKey(action, key, call) : []
  return [demandOn(`kms:${action}`, resource), ...onTarget]
}

/** The key that an alias is to be put on. */
export async function requireTarget(
  call: Call & { readonly tx: Tx },
  action: string,
  text: string | undefined,
): Promise<Key> {
  if (text && isAlias(text)) throw validation('Aliases must refer to keys. Not aliases')
  return checkNotPending(await requireKeyById(call.tx, call, action, text))
}

/** Refuses one alias too many. */
export async function checkRoomForAlias(db: Database, key: Key): Promise<void> {
  if ((await countAliasesOfKey(db, key.id)) < aliasesOfKeyMax) return
  throw new ApiError(
    'LimitExceededException',
    `${keyArn(key)} has ${aliasesOfKeyMax} aliases, and cannot have more.`,
  )
}

const isAlias = (text: string): boolean => /^(?:arn:aws:kms:[^:]*:[^:]*:)?alias\//.test(text)
