/**
 * The instance profiles that a role is in.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfilesForRole.html
 */
import type {
  ListInstanceProfilesForRoleRequest,
  ListInstanceProfilesForRoleResponse,
} from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { foldName } from '../entity.ts'
import { findEntities } from '../entity-store.ts'
import { requireEntity } from '../find.ts'
import { pageOf } from '../list-page.ts'
import { listHolders } from '../membership-store.ts'
import { viewProfile } from '../profiles.ts'

export const listInstanceProfilesForRole = readOperation<
  ListInstanceProfilesForRoleRequest,
  ListInstanceProfilesForRoleResponse
>({
  service: 'iam',
  action: 'ListInstanceProfilesForRole',
  demands: () => [],

  async run(call) {
    const { db, input } = call
    const wanted = { kind: 'role', name: input.RoleName } as const
    const role = await requireEntity(db, call, 'ListInstanceProfilesForRole', wanted)
    const profiles = await findEntities(db, await listHolders(db, role.id))
    const { items, ...rest } = pageOf(profiles, input, ({ name }) => foldName(name))
    return {
      InstanceProfiles: await Promise.all(items.map((profile) => viewProfile(db, profile))),
      ...rest,
    }
  },
})
