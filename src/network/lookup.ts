/** The security group that a call names, by id or by name in the default VPC. */
import type { Database } from '../db/database.ts'
import { missingParameter } from '../lib/errors.ts'
import type { CallContext } from '../wire/operation.ts'
import { listGroups } from './group-store.ts'
import { groupNotFound, parseGroupId, type SecurityGroup } from './security-group.ts'
import { findDefaultVpc } from './store.ts'

export interface FoundGroup {
  readonly group: SecurityGroup
  /** All groups of the account in the Region. */
  readonly groups: readonly SecurityGroup[]
}

export async function findOneGroup(
  db: Database,
  { caller, region }: Pick<CallContext, 'caller' | 'region'>,
  named: { readonly GroupId?: string | undefined; readonly GroupName?: string | undefined },
): Promise<FoundGroup> {
  const owner = { accountId: caller.accountId, region }
  const groups = await listGroups(db, owner)
  if (named.GroupId) {
    const id = parseGroupId(named.GroupId)
    const group = groups.find((one) => one.id === id)
    if (!group) throw groupNotFound(id)
    return { group, groups }
  }
  if (!named.GroupName) throw missingParameter('groupName or groupId')
  const vpc = await findDefaultVpc(db, owner)
  const group = groups.find((one) => one.vpcId === vpc?.id && one.name === named.GroupName)
  if (!group) throw groupNotFound(named.GroupName)
  return { group, groups }
}
