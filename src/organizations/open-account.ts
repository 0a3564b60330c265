/**
 * Makes an account of this installation for an organization: with the network that each
 * has, at the root of the tree, and with a role that the management account may take.
 * That role is the way in. https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html
 */
import type { Tx } from '../db/database.ts'
import { newEntityId } from '../iam/entity.ts'
import { insertEntity, putRoleDetails } from '../iam/entity-store.ts'
import { attachPolicy } from '../iam/policy-store.ts'
import { insertAccount } from '../iam/store.ts'
import type { Id, Kind } from '../lib/ids.ts'
import { ensureDefaultNetwork } from '../network/defaults.ts'
import { giveFullAccess } from './attach.ts'
import { redeclare } from './declared.ts'
import { type AccountRequest, newAccountId, type Organization } from './organization.ts'
import { insertMember } from './store.ts'
import { setTags } from './tag-store.ts'

export interface Maker {
  readonly now: Date
  readonly regions: readonly string[]
  readonly newId: <K extends Kind>(kind: K) => Id<K>
  readonly randomBytes: (count: number) => Uint8Array
}

const sessionSecondsMax = 3600

/** Makes the account, and answers its id. */
export async function openAccount(
  tx: Tx,
  organization: Organization,
  request: Pick<AccountRequest, 'accountName' | 'email' | 'roleName' | 'tags'>,
  { now, regions, newId, randomBytes }: Maker,
): Promise<string> {
  const accountId = newAccountId(randomBytes(8))
  const { accountName: name, email, roleName, tags } = request
  await insertAccount(tx, { id: accountId, name, alias: undefined }, now)
  for (const region of regions) await ensureDefaultNetwork(tx, { accountId, region, newId, now })
  await insertMember(tx, {
    accountId,
    organizationId: organization.id,
    parentId: organization.rootId,
    name,
    email,
    joinedMethod: 'CREATED',
    joinedAt: now,
    closure: undefined,
  })
  await giveFullAccess(tx, organization, accountId, now)
  await redeclare(tx, organization.id)
  await setTags(tx, { organizationId: organization.id, resourceId: accountId }, tags)

  const role = {
    id: newEntityId('role', randomBytes),
    accountId,
    kind: 'role',
    name: roleName,
    path: '/',
    createdAt: now,
    boundaryArn: undefined,
  } as const
  await insertEntity(tx, role)
  await putRoleDetails(tx, role.id, {
    trustPolicy: trustIn(organization.managementAccountId),
    description: undefined,
    sessionSecondsMax,
  })
  await attachPolicy(tx, role.id, 'arn:aws:iam::aws:policy/AdministratorAccess')
  return accountId
}

const trustIn = (accountId: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: 'sts:AssumeRole',
      },
    ],
  })
