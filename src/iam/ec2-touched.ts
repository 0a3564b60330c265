/**
 * What a call of EC2 demands: its action on everything that it touches, and to tag what it
 * makes. Whoever may not do it is told so before anything is said of its input, so nothing
 * here refuses an input that is wrong.
 */
import type { Database } from '../db/database.ts'
import type { ContextEntries } from '../policies/context.ts'
import { listTags } from '../tags/store.ts'
import { type Tag, type TagInput, tagOfInput } from '../tags/tag.ts'
import { type Demand, demandOn } from './demand.ts'
import { existing } from './ec2-facts.ts'
import {
  type Ec2Type,
  ec2Resource,
  type FactsOf,
  isEc2Type,
  type Place,
  tagsOfRequest,
  taggingOnCreate,
} from './ec2-resources.ts'
import { type Touch, touchedBy } from './ec2-table.ts'

/** What the demands of a call are found with. */
export interface Asking {
  readonly db: Database
  readonly caller: { readonly accountId: string }
  readonly region: string
}

export const placeOf = ({ caller, region }: Asking): Place => ({
  region,
  accountId: caller.accountId,
})

/** What the table says of an action, or the action on `*`. */
export async function ec2Demands(
  action: string,
  input: unknown,
  asking: Asking,
): Promise<readonly Demand[]> {
  const touches = touchedBy[action]
  if (!touches) return [demandOn(`ec2:${action}`, '*', { 'ec2:Region': asking.region })]
  const demands: Demand[] = []
  for (const touch of touches) demands.push(...(await touchDemands(action, input, touch, asking)))
  return [...demands, ...taggingDemands(action, input, asking)]
}

async function touchDemands(
  action: string,
  input: unknown,
  { type, members, isOptional }: Touch,
  asking: Asking,
): Promise<readonly Demand[]> {
  if (!members) return [making(action, type, input, asking)]
  const names = members.map((member) => namesAt(input, member)).find((some) => some.length > 0)
  if (!names && isOptional) return []
  return await demandsOn(action, type, names ?? [], asking)
}

/**
 * An action on resources that are there, or on any of the type where none is named; once
 * for each of the changes that it makes to them.
 */
export async function demandsOn(
  action: string,
  type: Ec2Type,
  names: readonly string[],
  asking: Asking,
  changes: readonly ContextEntries[] = [{}],
): Promise<readonly Demand[]> {
  const place = placeOf(asking)
  const touched =
    names.length > 0
      ? await existing(asking.db, place, type, [...new Set(names)])
      : [ec2Resource(type, place)]
  return touched.flatMap(({ arn, keys }) =>
    changes.map((change) => demandOn(`ec2:${action}`, arn, { ...keys, ...change })),
  )
}

type Making = Pick<Asking, 'caller' | 'region'>

/** An action on what it is about to make, with the tags that the call gives it. */
export function making<T extends Ec2Type>(
  action: string,
  type: T,
  input: unknown,
  { caller, region }: Making,
  /** Its name, where that is known by then. */
  { facts = {}, name }: { readonly facts?: FactsOf<T>; readonly name?: string | undefined } = {},
): Demand {
  const place = { region, accountId: caller.accountId, ...(name !== undefined && { id: name }) }
  const { arn, keys } = ec2Resource(type, place, { facts })
  return demandOn(`ec2:${action}`, arn, { ...keys, ...tagsOfRequest(tagsAt(input, type)) })
}

/** To tag what the call makes is demanded by itself, once for each type. */
export function taggingDemands(
  action: string,
  input: unknown,
  { caller, region }: Making,
  names: Partial<Record<Ec2Type, string | undefined>> = {},
): readonly Demand[] {
  const types = new Set(specificationsOf(input).map(({ ResourceType = '' }) => ResourceType))
  return [...types].filter(isEc2Type).flatMap((type) => {
    const id = names[type]
    const place = { region, accountId: caller.accountId, ...(id !== undefined && { id }) }
    return taggingOnCreate(ec2Resource(type, place), tagsAt(input, type), action)
  })
}

/** The same for the tags that the call copies from something else. */
export async function copiedTagsDemands(
  action: string,
  type: Ec2Type,
  sources: readonly string[],
  asking: Asking,
): Promise<readonly Demand[]> {
  const { accountId } = placeOf(asking)
  const tags = await listTags(asking.db, { accountId, resourceIds: sources })
  return sources.flatMap((id) => demandsToTag(action, type, tags.get(id) ?? [], asking))
}

/** The same where it is known which ones they are. */
export function demandsToTag(
  action: string,
  type: Ec2Type,
  tags: readonly Tag[],
  asking: Asking,
): readonly Demand[] {
  return taggingOnCreate(ec2Resource(type, placeOf(asking)), tags, action)
}

interface TagSpecification {
  readonly ResourceType?: string
  readonly Tags?: readonly TagInput[]
}

const specificationsOf = (input: unknown) =>
  (input as { readonly TagSpecifications?: readonly TagSpecification[] }).TagSpecifications ?? []

/** The tags that a call gives to what it makes of a type. */
export function tagsAt(input: unknown, type: Ec2Type): readonly Tag[] {
  const given = specificationsOf(input).filter(({ ResourceType }) => ResourceType === type)
  const tags = given.flatMap(({ Tags = [] }) => Tags)
  return tags.map(tagOfInput)
}

/** The texts at a path of members, through all lists on its way. */
export function namesAt(input: unknown, path: string): readonly string[] {
  let found: readonly unknown[] = [input]
  for (const member of path.split('.')) {
    found = found.flatMap((value) =>
      typeof value === 'object' && value !== null
        ? ((value as Record<string, unknown>)[member] ?? [])
        : [],
    )
  }
  return found.filter((value): value is string => typeof value === 'string' && value !== '')
}
