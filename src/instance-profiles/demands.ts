/**
 * What a caller needs to change the profile of an instance: the action on the instance,
 * and to pass on the role that it gets.
 */
import type { Demand } from '../iam/demand.ts'
import { type Asking, demandsOn } from '../iam/ec2-touched.ts'
import { entityArn } from '../iam/entity.ts'
import type { ProfileSpec } from './association.ts'
import { demandsToPass, findNamedProfile } from './choose-profile.ts'

export async function demandsOnInstance(
  asking: Asking,
  change: {
    readonly action: string
    readonly instanceId: string | undefined
    readonly wanted?: ProfileSpec | undefined
  },
): Promise<readonly Demand[]> {
  const { db, caller } = asking
  const { action, instanceId, wanted } = change
  const next = wanted && (await findNamedProfile(db, caller, wanted))
  const keys = { 'ec2:NewInstanceProfile': next && entityArn(next) }
  return [
    ...(await demandsOn(action, 'instance', instanceId ? [instanceId] : [], asking, [keys])),
    ...(await demandsToPass(db, caller, wanted)),
  ]
}
