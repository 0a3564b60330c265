/** Changes the tags of the retention rule that a call names by its ARN. */
import type { Tag } from '../tags/tag.ts'
import type { WriteCall } from '../wire/operation.ts'
import { idOfArn } from './find.ts'
import { ruleNotFound } from './request.ts'
import { findRuleTags, setRuleTags } from './store.ts'

export async function changeRuleTags(
  call: Pick<WriteCall<{ readonly ResourceArn?: string }>, 'caller' | 'input' | 'region' | 'tx'>,
  change: (tags: readonly Tag[]) => readonly Tag[],
): Promise<void> {
  const { caller, input, region, tx } = call
  const key = { accountId: caller.accountId, region, id: idOfArn(input.ResourceArn, call) }
  const before = await findRuleTags(tx, key)
  if (!before) throw ruleNotFound(key.id)
  await setRuleTags(tx, { ...key, tags: change(before) })
}
