/**
 * What a caller needs to change the profile of an instance: the action on the instance,
 * and to pass on the role that it gets.
 */
import type { Demand } from '../iam/demand.ts'
import { ec2Resource } from '../iam/ec2-resources.ts'
import { entityArn } from '../iam/entity.ts'
import { findOwnInstance } from '../instances/store.ts'
import { isId } from '../lib/ids.ts'
import { listTags } from '../tags/store.ts'
import type { DemandContext } from '../wire/operation.ts'
import type { ProfileSpec } from './association.ts'
import { demandsToPass, findNamed } from './choose-profile.ts'
import { findAssociationOf } from './store.ts'

export async function demandsOnInstance(
  { db, caller, region }: DemandContext,
  change: {
    readonly action: string
    readonly instanceId: string | undefined
    readonly wanted?: ProfileSpec | undefined
  },
): Promise<readonly Demand[]> {
  const { action, instanceId = '*', wanted } = change
  const owner = { accountId: caller.accountId, region }
  const instance = isId('instance', instanceId)
    ? await findOwnInstance(db, { ...owner, id: instanceId })
    : undefined
  const tags = instance && (await listTags(db, { ...owner, resourceIds: [instance.id] }))
  const now = instance && (await findAssociationOf(db, instance.id))
  const next = wanted && (await findNamed(db, owner, wanted))
  const touched = ec2Resource(
    'instance',
    { ...owner, id: instanceId },
    {
      facts: {
        AvailabilityZone: instance?.availabilityZone,
        InstanceID: instance?.id,
        InstanceProfile: now?.profileArn,
        InstanceType: instance?.instanceType,
        RootDeviceType: instance?.rootDeviceType,
      },
      tags: tags?.get(instanceId) ?? [],
    },
  )
  const keys = { ...touched.keys, 'ec2:NewInstanceProfile': next && entityArn(next) }
  return [
    { action: `ec2:${action}`, touched: { ...touched, keys } },
    ...(await demandsToPass(db, owner, wanted)),
  ]
}
