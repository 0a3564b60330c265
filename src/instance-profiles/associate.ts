/** Gives an instance a profile. */
import { type Entity, entityArn } from '../iam/entity.ts'
import type { Instance } from '../instances/instance.ts'
import type { WriteCall } from '../wire/operation.ts'
import { alreadyAssociated, type Association } from './association.ts'
import { insertAssociation } from './store.ts'

export async function associate(
  { tx, newId, now }: Pick<WriteCall<unknown>, 'tx' | 'newId' | 'now'>,
  { id: instanceId, accountId, region }: Pick<Instance, 'id' | 'accountId' | 'region'>,
  profile: Entity,
): Promise<Association> {
  const association = {
    id: newId('instance-profile-association'),
    accountId,
    region,
    instanceId,
    profileId: profile.id,
    profileArn: entityArn(profile),
    madeAt: now,
  }
  if (!(await insertAssociation(tx, association))) throw alreadyAssociated(instanceId)
  return association
}
