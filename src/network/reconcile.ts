/**
 * Keeps the networks of running instances as the rows say: a rule that is
 * added or taken away takes effect with the next look. What an earlier run of
 * the service has left of a network that nobody uses any more is ended.
 */
import type { Connections } from '../db/database.ts'
import { listByState } from '../instances/store.ts'
import type { Id } from '../lib/ids.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import type { Networks } from './networks.ts'
import { liveStates } from './spec.ts'
import { listAllVpcIds } from './store.ts'

export function networkReconciler({
  db,
  networks,
}: {
  readonly db: Connections
  readonly networks: Networks
}): Reconciler<Id<'vpc'>> {
  let leftovers: Set<Id<'vpc'>> | undefined
  const listLive = async () => {
    const instances = await listByState(db.reads, liveStates)
    return new Set(instances.map(({ vpcId }) => vpcId))
  }
  return {
    name: 'networks',
    stepsAtOnceMax: 4,
    async due() {
      const live = await listLive()
      leftovers ??= new Set((await listAllVpcIds(db.reads)).filter((id) => !live.has(id)))
      return [...new Set([...live, ...leftovers])]
    },
    async step(vpcId) {
      const isLeftover = leftovers?.delete(vpcId)
      const isLive = (await listLive()).has(vpcId)
      if (isLive) await networks.keep(vpcId)
      else if (isLeftover) await networks.release(vpcId)
      return 'waiting'
    },
  }
}
