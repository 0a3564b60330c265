/**
 * The network namespace of one VPC, kept by a holder process that does nothing
 * else. Without privileges it lies in a user namespace in which we are root.
 * The host's own network namespace is never touched.
 */
import { mkdirSync, readFileSync, readlinkSync } from 'node:fs'
import { findDaemon, startDaemon, stopDaemon } from './daemon.ts'
import { findTool } from './run.ts'

export interface Namespace {
  /** The process that keeps it. */
  readonly holderPid: number
  /** The command prefix that runs a program inside. */
  readonly enter: readonly string[]
  /** Nothing that ran in an older namespace of this VPC can be seen from this one. */
  readonly isNew: boolean
}

/** Tells processes that are known to run in the namespace of a VPC, such as its machines. */
export type FindInside = () => Promise<readonly number[]>

/** The namespace as it is, or undefined where no holder runs. */
export function findNamespace(folder: string): Namespace | undefined {
  const holderPid = findDaemon({ folder, name: 'holder' })
  if (holderPid === undefined) return undefined
  return { holderPid, enter: enterCommand(holderPid), isNew: false }
}

/**
 * Finds the namespace or makes it. Where the holder is gone but a daemon of ours or
 * one of the processes that `findInside` tells lives inside, a new holder joins that
 * one, so that running machines keep their network.
 */
export async function ensureNamespace(
  folder: string,
  insideDaemons: readonly string[],
  findInside: FindInside = async () => [],
): Promise<Namespace> {
  const found = findNamespace(folder)
  if (found !== undefined) return found
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const daemons = insideDaemons.map((name) => findDaemon({ folder, name }))
  const survivor = [...daemons, ...(await findInside())].find((pid) => pid !== undefined)
  const prefix = survivor === undefined ? createCommand() : enterCommand(survivor)
  const holderPid = await startDaemon(
    { folder, name: 'holder' },
    [...prefix, tool('sleep'), 'infinity'],
    (pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n',
  )
  return { holderPid, enter: enterCommand(holderPid), isNew: survivor === undefined }
}

/** Ends the holder. The kernel ends the namespace with the last process inside. */
export async function releaseNamespace(folder: string): Promise<void> {
  await stopDaemon({ folder, name: 'holder' })
}

/** Whether we may make network namespaces directly: CAP_SYS_ADMIN and CAP_NET_ADMIN. */
export function isPrivileged(): boolean {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  const wanted = (1n << 21n) | (1n << 12n)
  return (BigInt(`0x${line?.[1] ?? '0'}`) & wanted) === wanted
}

/** The command prefix that makes a network namespace and runs a program inside. */
export function createCommand(): readonly string[] {
  return isPrivileged()
    ? [tool('unshare'), '--net']
    : [tool('unshare'), '--user', '--map-root-user', '--net']
}

function enterCommand(pid: number): readonly string[] {
  const target = [tool('nsenter'), `--target=${pid}`, '--net']
  const same = readlinkSync(`/proc/${pid}/ns/user`) === readlinkSync('/proc/self/ns/user')
  return same ? target : [...target, '--user', '--preserve-credentials']
}

function tool(name: string): string {
  const path = findTool(name)
  if (path === undefined) throw new Error(`find the program: ${name}`)
  return path
}
