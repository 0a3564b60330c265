/** Deletes what IAM keeps by name, when nothing hangs on it any more. */
import type { Tx } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import { deleteConflict, type Entity, entityArn, noSuchEntity } from './entity.ts'
import { deleteEntityRow, listBoundedBy, lockEntity } from './entity-store.ts'
import { findLoginProfile } from './login-profile-store.ts'
import { listHolders, listMembers } from './membership-store.ts'
import {
  deletePolicyDetails,
  listAttached,
  listAttachedTo,
  listInlinePolicies,
  listVersions,
} from './policy-store.ts'
import { removeEntityTags } from './tag-store.ts'
import { listUserKeys } from './user-key-store.ts'

/** Throws `DeleteConflict` where something has to go first, in AWS's words. */
export async function removeEntity(tx: Tx, entity: Entity): Promise<void> {
  const { id, kind, name } = entity
  if (!(await lockEntity(tx, id))) throw noSuchEntity(kind, name)
  for (const { isThere, first } of await obstacles[kind](tx, entity)) {
    if (isThere) throw deleteConflict(first)
  }
  if (kind === 'policy') await removePolicyDetails(tx, entity)
  await removeEntityTags(tx, id)
  await deleteEntityRow(tx, id)
}

interface Obstacle {
  readonly isThere: boolean
  /** `must … first` */
  readonly first: string
}

type Find = (tx: Tx, entity: Entity) => Promise<readonly Obstacle[]>

const policies: Find = async (tx, { id }) => [
  { isThere: (await listAttached(tx, [id])).length > 0, first: 'detach all policies' },
  { isThere: (await listInlinePolicies(tx, [id])).length > 0, first: 'delete policies' },
]

const obstacles: Readonly<Record<Entity['kind'], Find>> = {
  user: async (tx, user) => [
    {
      isThere: (await listHolders(tx, user.id)).length > 0,
      first: 'remove users from group',
    },
    { isThere: (await listUserKeys(tx, user.id)).length > 0, first: 'delete access keys' },
    {
      isThere: (await findLoginProfile(tx, user.id)) !== undefined,
      first: 'delete login profile',
    },
    ...(await policies(tx, user)),
  ],
  group: async (tx, group) => [
    {
      isThere: (await listMembers(tx, group.id)).length > 0,
      first: 'remove users from group',
    },
    ...(await policies(tx, group)),
  ],
  role: async (tx, role) => [
    {
      isThere: (await listHolders(tx, role.id)).length > 0,
      first: 'remove roles from instance profile',
    },
    ...(await policies(tx, role)),
  ],
  profile: async (tx, { id }) => [
    {
      isThere: (await listMembers(tx, id)).length > 0,
      first: 'remove roles from instance profile',
    },
  ],
  policy: async () => [],
}

async function removePolicyDetails(tx: Tx, entity: Entity): Promise<void> {
  const arn = entityArn(entity)
  const users = [...(await listAttachedTo(tx, arn)), ...(await listBoundedBy(tx, arn))]
  if (users.length > 0) {
    throw new ApiError('DeleteConflict', 'Cannot delete a policy attached to entities.')
  }
  if ((await listVersions(tx, entity.id)).length > 1) {
    throw new ApiError(
      'DeleteConflict',
      'This policy has more than one version. Before you delete a policy, ' +
        "you must delete the policy's versions. The default version is deleted with the policy.",
    )
  }
  await deletePolicyDetails(tx, entity.id)
}
