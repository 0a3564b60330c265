/** What the steps of an instance's life work with. */
import type { Accelerator } from '../../qemu/accelerator.ts'
import type { Machine } from '../../qemu/machine.ts'
import type { Connections } from '../../db/database.ts'
import type { Id } from '../../lib/ids.ts'
import type { Log } from '../../lib/log.ts'
import type { Networks } from '../../network/networks.ts'
import type { Lanes } from '../../reconcile/lanes.ts'
import type { OpenDiskKey } from '../../volumes/disk-keys.ts'
import type { Bases } from '../../volumes/bases.ts'
import type { Machines } from '../machines.ts'

export interface InstanceDependencies {
  readonly db: Connections
  readonly machines: Machines
  readonly networks: Networks
  /** Work on a volume's files holds the lane `volume/<id>`. */
  readonly lanes: Lanes
  readonly volumeFolder: (id: Id<'volume'>) => string
  readonly openDiskKey: OpenDiskKey
  /** Where the root of an instance lies that is no volume. */
  readonly rootFolder: (id: Id<'instance'>) => string
  readonly bases: Pick<Bases, 'prepare' | 'isWhole'>
  /** Where machines read bases that are not whole yet. */
  readonly baseSocket: string
  readonly accelerator: Accelerator
  /** What variables of UEFI are unpacked with that EC2 has packed, where the installation has it. */
  readonly uefiDictionary?: Uint8Array | undefined
  /** Instances whose guest waits for room on the host's disk, and when it was last told to go on. */
  readonly held: Map<Id<'instance'>, number>
  /** Instances whose chains of layers may have to be shortened, when nobody reads them any more. */
  readonly unmerged: Set<Id<'instance'>>
  /** Instances whose machines read a base from us that is not whole yet, or was not a moment ago. */
  readonly served: Set<Id<'instance'>>
  readonly now: () => Date
  readonly log: Log
}

/** How long a guest may take to shut down before the power is cut. EC2 waits four minutes. */
export const shutdownMsMax = 4 * 60 * 1000

/** A guest that is still booting misses the button, so it is pressed again. */
const pressEveryMs = 5_000

const pressedAtMs = new WeakMap<Machine, number>()

/** Presses the power button, unless it was pressed a moment ago. */
export async function pressPowerButton(machine: Machine, now: Date): Promise<void> {
  const last = pressedAtMs.get(machine) ?? -Infinity
  if (now.getTime() - last < pressEveryMs) return
  pressedAtMs.set(machine, now.getTime())
  await machine.powerButton()
}
