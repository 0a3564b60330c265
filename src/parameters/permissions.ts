/** What a caller needs to be allowed for a call that names parameters. */
import type { Database } from '../db/database.ts'
import { type Demand, demandOn, tagsOnResource } from '../iam/demand.ts'
import { tagsOfRequest } from '../iam/ec2-resources.ts'
import { type TagInput, tagOfInput } from '../tags/tag.ts'
import { parameterArn } from './parameter.ts'
import { publicPrefix } from './public.ts'
import { parseReference } from './reference.ts'
import { findTags } from './store.ts'

interface Asking {
  readonly db: Database
  readonly caller: { readonly accountId: string }
  readonly region: string
}

/** What a call says beside the parameters that it names. */
interface Said {
  readonly Overwrite?: boolean | undefined
  readonly Recursive?: boolean | undefined
  readonly Tags?: readonly TagInput[] | undefined
  readonly TagKeys?: readonly string[] | undefined
}

/** `action` on each parameter of `names`, which may be ARNs and may have selectors. */
export async function onParameters(
  action: string,
  names: readonly string[],
  { db, caller, region }: Asking,
  { Overwrite, Recursive, Tags = [], TagKeys = [] }: Said = {},
): Promise<readonly Demand[]> {
  const { accountId } = caller
  const said = {
    ...tagsOfRequest([...Tags.map(tagOfInput), ...TagKeys.map((key) => ({ key }))]),
    'ssm:Overwrite': Overwrite?.toString(),
    'ssm:Recursive': Recursive?.toString(),
  }
  const demands: Demand[] = []
  for (const text of names) {
    const {
      accountId: owner,
      region: place,
      names: [name = ''],
    } = parseReference(text, { accountId, region })
    const isPublic = name.startsWith(publicPrefix)
    const key = { accountId: isPublic ? '' : owner, region: place, name }
    const tags = owner === accountId && !isPublic ? await findTags(db, key) : undefined
    demands.push(demandOn(`ssm:${action}`, parameterArn(key), { ...tagsOnResource(tags), ...said }))
  }
  return demands
}
