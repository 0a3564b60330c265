/**
 * What the calls of an organization demand: their action on each root, unit, account and
 * policy that they name. Before there is an organization, those of any.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
 */
import type { Database } from '../db/database.ts'
import { type Demand, demandOn, onAnything, tagsOnResource } from '../iam/demand.ts'
import { tagsOfRequest } from '../iam/ec2-resources.ts'
import type { ContextEntries } from '../policies/context.ts'
import { type TagInput, tagOfInput } from '../tags/tag.ts'
import {
  accountArn,
  isRootId,
  isUnitId,
  type Organization,
  rootArn,
  unitArn,
} from './organization.ts'
import { isPolicyId } from './policy.ts'
import { findPolicy } from './policy-store.ts'
import { policyArn } from './policy-view.ts'
import { findOrganizationOf } from './store.ts'
import { listTags } from './tag-store.ts'

/** The members by which calls name what they are about. */
interface Input {
  readonly AccountId?: string
  readonly ChildId?: string
  readonly DestinationParentId?: string
  readonly OrganizationalUnitId?: string
  readonly ParentId?: string
  readonly PolicyId?: string
  readonly ResourceId?: string
  readonly RootId?: string
  readonly SourceParentId?: string
  readonly TargetId?: string
  readonly Tags?: readonly TagInput[]
  readonly TagKeys?: readonly string[]
  /** A policy's. */
  readonly Type?: string
}

interface Asking {
  readonly db: Database
  readonly caller: { readonly accountId: string }
}

type Named = Pick<Organization, 'id' | 'managementAccountId'>

export async function organizationDemands(
  action: string,
  given: unknown,
  { db, caller }: Asking,
): Promise<readonly Demand[]> {
  const { accountId } = caller
  const input = given as Input
  const organization = await findOrganizationOf(db, accountId)
  const named = organization ?? { id: 'o-*', managementAccountId: accountId }
  const said = saidOf(input)
  const arns = await arnsOf(db, named, action, input, accountId)
  if (arns.length === 0)
    return [{ ...onAnything(`organizations:${action}`), touched: { arn: '*', keys: said } }]
  const demands: Demand[] = []
  for (const [id, arn] of arns) {
    const tags = await listTags(db, { organizationId: named.id, resourceId: id })
    demands.push(demandOn(`organizations:${action}`, arn, { ...tagsOnResource(tags), ...said }))
  }
  return demands
}

async function arnsOf(
  db: Database,
  organization: Named,
  action: string,
  input: Input,
  accountId: string,
): Promise<readonly (readonly [id: string, arn: string])[]> {
  if (action === 'CreatePolicy') return [['*', policyOf(organization, '*', input.Type)]]
  const { AccountId, ChildId, ParentId, PolicyId, ResourceId, RootId, TargetId } = input
  const { DestinationParentId, OrganizationalUnitId, SourceParentId } = input
  const places = [ParentId, SourceParentId, DestinationParentId, RootId, OrganizationalUnitId]
  const ids = new Set([PolicyId, AccountId, ChildId, ...places, ResourceId, TargetId])
  if (action === 'DescribeEffectivePolicy') ids.add(TargetId ?? accountId)
  const found: (readonly [string, string])[] = []
  for (const id of ids) {
    if (id === undefined) continue
    if (isRootId(id)) found.push([id, rootArn({ ...organization, rootId: id })])
    else if (isUnitId(id)) found.push([id, unitArn(organization, id)])
    else if (/^\d{12}$/.test(id)) found.push([id, accountArn(organization, id)])
    else if (isPolicyId(id)) {
      const policy = await findPolicy(db, { organizationId: organization.id, id })
      found.push([id, policy ? policyArn(organization, policy) : policyOf(organization, id)])
    }
  }
  return found
}

/** A policy that is not there, or not yet. */
const policyOf = ({ id, managementAccountId }: Named, policyId: string, type = '*'): string =>
  `arn:aws:organizations::${managementAccountId}:policy/${id}/${type.toLowerCase()}/${policyId === '*' ? 'p-*' : policyId}`

function saidOf({ Tags = [], TagKeys = [], Type }: Input): ContextEntries {
  return {
    ...tagsOfRequest([...Tags.map(tagOfInput), ...TagKeys.map((key) => ({ key }))]),
    'organizations:PolicyType': Type,
  }
}
