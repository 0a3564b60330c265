/** The retention rule that a call names, or the call is refused. */
import type { Database } from '../db/database.ts'
import { type Demand, demandOn, tagsOnResource } from '../iam/demand.ts'
import { tagsOfRequest } from '../iam/ec2-resources.ts'
import { type TagInput, tagOfInput } from '../tags/tag.ts'
import type { CallContext, DemandContext } from '../wire/operation.ts'
import { readId, refusal, ruleNotFound } from './request.ts'
import { lockStateOf, type RetentionRule } from './rule.ts'
import { findRule, findRuleTags } from './store.ts'
import { ruleArn } from './view.ts'

type Call = Pick<CallContext, 'caller' | 'region' | 'now'>

export async function requireRule(
  db: Database,
  { caller, region }: Call,
  identifier: string | undefined,
): Promise<RetentionRule> {
  const id = readId(identifier)
  const rule = await findRule(db, { accountId: caller.accountId, region, id })
  if (rule) return rule
  throw ruleNotFound(id)
}

/** As `requireRule`, where the rule may be changed: a locked one may not, nor one that still unlocks. */
export async function requireUnlocked(
  db: Database,
  call: Call,
  identifier: string | undefined,
): Promise<RetentionRule> {
  const rule = await requireRule(db, call, identifier)
  const state = lockStateOf(rule, call.now)
  if (state === 'unlocked') return rule
  throw refusal('ConflictException', `The retention rule ${rule.id} is in the state ${state}.`)
}

export const changedMeanwhile = (id: string) =>
  refusal('ConflictException', `The retention rule ${id} was changed by another call.`)

/** What a call says beside the rule that it names. */
interface Said {
  readonly ResourceType?: string | undefined
  readonly Tags?: readonly TagInput[] | undefined
  readonly TagKeys?: readonly string[] | undefined
}

/** What a caller needs to be allowed for a call on one rule, or on one that is to be made. */
export async function onRule(
  action: string,
  id: string | undefined,
  { db, caller, region }: Pick<DemandContext, 'caller' | 'region' | 'db'>,
  { ResourceType, Tags = [], TagKeys = [] }: Said = {},
): Promise<readonly Demand[]> {
  const key = { accountId: caller.accountId, region, id: id ?? '*' }
  const rule = id === undefined ? undefined : await findRule(db, key)
  return [
    demandOn(`rbin:${action}`, ruleArn(key), {
      ...tagsOnResource(rule && (await findRuleTags(db, key))),
      ...tagsOfRequest([...Tags.map(tagOfInput), ...TagKeys.map((name) => ({ key: name }))]),
      'rbin:Attribute/ResourceType': rule?.resourceType,
      'rbin:Request/ResourceType': id === undefined ? ResourceType : undefined,
    }),
  ]
}

/** The rule of an ARN; one of another place is judged as no rule is. */
export const idInArn = (arn = ''): string => arn.split('rule/')[1] ?? arn

/** The rule's id in an ARN of the caller's own, where the call happens. */
export function idOfArn(arn: string | undefined, call: Pick<CallContext, 'caller' | 'region'>) {
  const id = readId(arn?.split('rule/')[1])
  if (arn === ruleArn({ accountId: call.caller.accountId, region: call.region, id })) return id
  throw ruleNotFound(id)
}
