/**
 * The networks of this host, one for each VPC with instances. Whoever needs one
 * asks to have it applied: what the rows say by then, or later, is what it is
 * when the promise is kept. Calls that come while one waits share that one.
 */
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Database } from '../db/database.ts'
import { listByVpc } from '../instances/store.ts'
import type { Id } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import { Lanes } from '../reconcile/lanes.ts'
import type { InsideSockets } from '../vpc/inside-sockets.ts'
import type { VpcSpec } from '../vpc/spec.ts'
import { Vpc } from '../vpc/vpc.ts'
import { vpcSpec } from './spec.ts'

export interface NetworksOptions {
  readonly db: Database
  /** Each VPC has a folder of its own in here. */
  readonly runFolder: string
  readonly log: Log
  /** The process of an instance's machine, where one runs. */
  readonly findMachinePid?: (id: Id<'instance'>) => Promise<number | undefined>
  /** Takes over the sockets of a VPC's metadata service and API, which listen inside. */
  readonly onSockets: (vpcId: Id<'vpc'>, sockets: InsideSockets) => void
}

/** A network that stands. */
export interface AppliedNetwork {
  /** The command prefix that runs a program inside. */
  readonly enter: readonly string[]
}

interface Known {
  readonly vpc: Vpc
  /** What was applied last, and when by the monotonic clock. */
  applied?: { readonly spec: VpcSpec; readonly atMs: number }
  /** That the services inside listen, or are about to. */
  listening?: Promise<void> | undefined
  /** They would keep the namespace, if they were left open. */
  sockets?: InsideSockets
  warnings: readonly string[]
}

/** What may have died is looked for so often, though no row has changed. */
const checkEveryMs = 15_000

export class Networks {
  readonly #options: NetworksOptions
  readonly #known = new Map<Id<'vpc'>, Known>()
  readonly #waiting = new Map<Id<'vpc'>, Promise<AppliedNetwork>>()
  readonly #lanes = new Lanes()

  constructor(options: NetworksOptions) {
    this.#options = options
  }

  /** Makes the network of a VPC be as its rows say. */
  apply(vpcId: Id<'vpc'>): Promise<AppliedNetwork> {
    const waiting = this.#waiting.get(vpcId)
    if (waiting) return waiting
    const mine = this.#lanes.hold(vpcId, async () => {
      // From here on the rows are read, so whoever comes later waits for another turn.
      this.#waiting.delete(vpcId)
      return await this.#apply(vpcId, await this.#read(vpcId))
    })
    this.#waiting.set(vpcId, mine)
    return mine
  }

  /** Applies what has changed, and looks after the rest from time to time. */
  async keep(vpcId: Id<'vpc'>): Promise<void> {
    await this.#lanes.hold(vpcId, async () => {
      const spec = await this.#read(vpcId)
      const { applied, listening } = this.#of(vpcId)
      const isFresh = applied && performance.now() - applied.atMs < checkEveryMs
      if (isFresh && listening && isDeepStrictEqual(applied.spec, spec)) return
      await this.#apply(vpcId, spec)
    })
  }

  /** Ends the network of a VPC in which no instance is plugged in. */
  async release(vpcId: Id<'vpc'>): Promise<void> {
    await this.#lanes.hold(vpcId, async () => {
      const { ports } = await this.#read(vpcId)
      if (ports.length > 0) return
      const known = this.#of(vpcId)
      this.#known.delete(vpcId)
      await known.listening
      known.sockets?.metadata.close()
      known.sockets?.api.close()
      await known.vpc.destroy()
    })
  }

  /** Leaves the networks of running machines as they are, and ends the others. */
  async close(): Promise<void> {
    for (const { listening } of this.#known.values()) await listening
    await Promise.all([...this.#known.keys()].map((vpcId) => this.release(vpcId)))
  }

  #of(vpcId: Id<'vpc'>): Known {
    const found = this.#known.get(vpcId)
    if (found) return found
    const vpc = new Vpc(this.#folder(vpcId), () => this.#findInside(vpcId))
    const known: Known = { vpc, warnings: [] }
    this.#known.set(vpcId, known)
    return known
  }

  async #findInside(vpcId: Id<'vpc'>): Promise<readonly number[]> {
    const { db, findMachinePid = async () => undefined } = this.#options
    const instances = await listByVpc(db, vpcId)
    const pids = await Promise.all(instances.map(({ id }) => findMachinePid(id)))
    return pids.filter((pid) => pid !== undefined)
  }

  #folder(vpcId: Id<'vpc'>): string {
    return join(this.#options.runFolder, vpcId)
  }

  #read(vpcId: Id<'vpc'>): Promise<VpcSpec> {
    return vpcSpec(this.#options.db, { vpcId, folder: this.#folder(vpcId) })
  }

  async #apply(vpcId: Id<'vpc'>, spec: VpcSpec): Promise<AppliedNetwork> {
    const { log } = this.#options
    const known = this.#of(vpcId)
    delete known.applied // What is cut off is looked at again.
    const { warnings, isNew } = await known.vpc.apply(spec)
    known.applied = { spec, atMs: performance.now() }
    const isNews = !isDeepStrictEqual(warnings, known.warnings)
    known.warnings = warnings
    if (isNews && warnings.length > 0) log.warn('a network lacks something', { vpcId, warnings })
    // A machine boots for longer than this takes, so nobody waits for it.
    if (isNew || !known.listening) known.listening = this.#listen(vpcId, known)
    return { enter: known.vpc.enter() }
  }

  async #listen(vpcId: Id<'vpc'>, known: Known): Promise<void> {
    const { log, onSockets } = this.#options
    try {
      known.sockets = await known.vpc.listen()
      onSockets(vpcId, known.sockets)
    } catch (error) {
      log.error('the services inside a network cannot listen', { vpcId, error })
      known.listening = undefined
    }
  }
}
