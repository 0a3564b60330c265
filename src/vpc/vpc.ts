/**
 * The network of one VPC. `apply` compares what is with what shall be and does what
 * is missing; it may be cut off anywhere and simply runs again. What was made lives
 * in processes of its own and outlives us; nothing is made on the host's own network.
 */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { dhcpDaemon, ensureDhcp, stopDhcp } from './dhcp.ts'
import { findDaemon } from './daemon.ts'
import { addPortText, filterText, removePortText, silencePortText } from './filter.ts'
import { plannedForwards, type Forward } from './forward.ts'
import { type InsideSockets, listenInside } from './inside-sockets.ts'
import {
  addPortCommands,
  linkCommands,
  outsideSettings,
  removePortCommands,
  settings,
  type Link,
} from './links.ts'
import { ensureNamespace, findNamespace, isPrivileged, releaseNamespace } from './namespace.ts'
import type { FindInside, Namespace } from './namespace.ts'
import {
  chooseOutside,
  ensureForwards,
  ensureOutside,
  outsideDaemon,
  stopOutside,
  type Outside,
} from './outside.ts'
import { run } from './run.ts'
import { checkSpec, portChanges, type VpcSpec } from './spec.ts'

export interface Applied {
  /** What could not be had although asked for: the way out, or single forwards. */
  readonly warnings: readonly string[]
  /** The namespace was made anew: what ran in an older one is cut off and must start again. */
  readonly isNew: boolean
}

export class Vpc {
  readonly #folder: string
  readonly #findInside: FindInside | undefined
  #lane: Promise<unknown> = Promise.resolve()
  /** What was applied in full; undefined where everything must be looked at. */
  #applied: VpcSpec | undefined
  #forwards: { readonly planned: readonly Forward[]; readonly active: readonly Forward[] } = nothing

  /** Nothing happens yet. The folder is the one that the specs will name. */
  constructor(folder: string, findInside?: FindInside) {
    this.#folder = folder
    this.#findInside = findInside
  }

  /** Makes the network be as the spec says. Calls wait for each other. */
  apply(spec: VpcSpec): Promise<Applied> {
    return this.#inLane(async () => {
      checkSpec(spec)
      const before = this.#applied
      this.#applied = undefined // Whatever is cut off leaves the next call to look at everything.
      const namespace = findNamespace(this.#folder)
      if (before !== undefined && namespace !== undefined && this.#isAlive()) {
        const warnings = sameButPorts(before, spec)
          ? await this.#applyChanges(before, spec, namespace)
          : undefined
        if (warnings !== undefined) return { warnings, isNew: false }
      }
      return this.#applyAll(spec)
    })
  }

  /** The command prefix that runs a program inside; throws before the first `apply`. */
  enter(): readonly string[] {
    const namespace = findNamespace(this.#folder)
    if (namespace === undefined) throw new Error(`enter the network: none in ${this.#folder}`)
    return namespace.enter
  }

  /** The forwards that stand. */
  forwards(): readonly Forward[] {
    return this.#forwards.active
  }

  /**
   * Opens the sockets of the metadata service and of the API. Close them by `close()`; after
   * an `apply` that `isNew`, open them again. Have them served: `server.listen(socket)`.
   */
  listen(): Promise<InsideSockets> {
    return listenInside(this.enter())
  }

  /** Ends everything. Machines still inside lose their network when they end. */
  destroy(): Promise<void> {
    return this.#inLane(async () => {
      this.#applied = undefined
      this.#forwards = nothing
      await Promise.all([stopOutside(this.#folder), stopDhcp(this.#folder)])
      await releaseNamespace(this.#folder)
    })
  }

  async #applyAll(spec: VpcSpec): Promise<Applied> {
    const namespace = await ensureNamespace(this.#folder, [dhcpDaemon], this.#findInside)
    const net = chooseOutside(spec.subnets)
    const links = JSON.parse(await run([...namespace.enter, 'ip', '-j', 'addr', 'show'])) as Link[]
    await runInside(namespace, [
      batch(linkCommands(spec, links)),
      ...settings.map(set),
      load(filterText(spec.ports, net)),
    ])
    const [, failure] = await Promise.all([
      ensureDhcp(spec, namespace.enter, net.resolver),
      this.#openOutside(namespace, net).then(() => undefined, String),
    ])
    this.#forwards = nothing
    if (failure !== undefined) {
      return { warnings: [`no way out and no forwards: ${failure}`], isNew: namespace.isNew }
    }
    const warnings = await this.#applyForwards(spec)
    this.#applied = spec
    return { warnings, isNew: namespace.isNew }
  }

  /** Answers the warnings, or undefined where the changes could not be made. */
  async #applyChanges(
    before: VpcSpec,
    spec: VpcSpec,
    namespace: Namespace,
  ): Promise<readonly string[] | undefined> {
    const { added, removed, changed } = portChanges(before.ports, spec.ports)
    const net = chooseOutside(spec.subnets)
    if (added.length + removed.length + changed.length > 0) {
      const changedIds = new Set(changed.map((port) => port.id))
      const filter = [
        ...removed.map(removePortText),
        ...before.ports.filter((port) => changedIds.has(port.id)).map(silencePortText),
        ...[...added, ...changed].map((port) => addPortText(port, net)),
      ]
      const links = [...removed.flatMap(removePortCommands), ...added.flatMap(addPortCommands)]
      try {
        await runInside(namespace, together(load(filter.join('')), batch(links)))
      } catch {
        return undefined
      }
      await ensureDhcp(spec, namespace.enter, net.resolver)
    }
    const warnings = await this.#applyForwards(spec)
    this.#applied = spec
    return warnings
  }

  async #openOutside(namespace: Namespace, net: Outside): Promise<void> {
    await ensureOutside(this.#folder, namespace.holderPid, net)
    await runInside(namespace, outsideSettings.map(set))
  }

  async #applyForwards(spec: VpcSpec): Promise<readonly string[]> {
    const planned = plannedForwards(spec.ports, isPrivileged() ? 0 : unprivilegedPortMin())
    const last = this.#forwards
    if (isDeepStrictEqual(planned, last.planned) && isDeepStrictEqual(planned, last.active))
      return []
    const { active, warnings } = await ensureForwards(this.#folder, planned)
    this.#forwards = { planned, active }
    return warnings
  }

  #isAlive(): boolean {
    return [dhcpDaemon, outsideDaemon].every(
      (name) => findDaemon({ folder: this.#folder, name }) !== undefined,
    )
  }

  #inLane<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lane.then(work)
    this.#lane = done.catch(() => undefined)
    return done
  }
}

const nothing = { planned: [], active: [] } as const

function sameButPorts(one: VpcSpec, other: VpcSpec): boolean {
  return isDeepStrictEqual({ ...one, ports: [] }, { ...other, ports: [] })
}

/** One shell inside, for as many tools as it takes. */
async function runInside(namespace: Namespace, lines: readonly string[]): Promise<void> {
  await run([...namespace.enter, 'sh', '-e'], lines.join('\n'))
}

/** A setting of the kernel, where it has it. */
function set([name, value]: readonly [string, number]): string {
  return `[ ! -w /proc/sys/net/${name} ] || echo ${value} > /proc/sys/net/${name}`
}

function batch(commands: readonly string[]): string {
  return `ip -batch - <<'END'\n${commands.join('\n')}\nEND`
}

/** The second is begun while the first is still at work; the line fails if one of them does. */
function together(first: string, second: string): readonly string[] {
  return [first.replace('\n', ' &\n'), second, 'wait $!']
}

function load(text: string): string {
  return `nft -f - <<'END'\n${text}\nEND`
}

function unprivilegedPortMin(): number {
  return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'))
}
