/**
 * A VPC with guests for tests: real namespaces, and in the place of each machine a
 * process in a namespace of its own, plugged in where QEMU's tap would be.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Orders } from './guest-child.fixture.ts'
import { run, toolEnvironment } from './run.ts'
import { tapName, type Port, type Rule, type VpcSpec } from './spec.ts'
import { Vpc } from './vpc.ts'

export const everywhere: Rule = { protocol: 'all', cidrs: ['0.0.0.0/0'] }

/** A port as most instances have it: all may go out, nothing comes in. */
export function portOf(last: number, changes: Partial<Port> = {}): Port {
  return {
    id: `i-${last}`,
    mac: `02:00:00:00:00:${last.toString(16).padStart(2, '0')}`,
    address: `172.31.0.${last}`,
    hostname: `ip-172-31-0-${last}.ec2.internal`,
    ingress: [],
    egress: [everywhere],
    metadata: { enabled: true, hopLimit: 1 },
    ...changes,
  }
}

export interface TestNetwork {
  readonly vpc: Vpc
  /** What was applied, with other ports. */
  readonly specOf: (ports: readonly Port[]) => VpcSpec
  readonly addGuest: (port: Port) => Promise<Guest>
}

/** A VPC with the ports applied; everything ends with the test. */
export async function startNetwork(
  context: TestContext,
  ports: readonly Port[],
): Promise<TestNetwork> {
  const folder = mkdtempSync(join(tmpdir(), 'vpc-'))
  const vpc = new Vpc(folder)
  context.after(async () => {
    await vpc.destroy()
    rmSync(folder, { recursive: true })
  })
  const specOf = (wanted: readonly Port[]): VpcSpec => ({
    id: 'vpc-1',
    folder,
    subnets: [
      { cidr: '172.31.0.0/20', gateway: '172.31.0.1' },
      { cidr: '172.31.16.0/20', gateway: '172.31.16.1' },
    ],
    resolverAddress: '172.31.0.2',
    domain: 'ec2.internal',
    ports: wanted,
  })
  assert.deepEqual(await vpc.apply(specOf(ports)), { warnings: [], isNew: true })
  const addGuest = async (port: Port): Promise<Guest> => {
    const guest = await startGuest(vpc, port)
    context.after(() => guest.end())
    return guest
  }
  return { vpc, specOf, addGuest }
}

export interface Guest {
  readonly tell: <O extends keyof Orders>(
    order: O,
    takes: Orders[O]['takes'],
  ) => Promise<Orders[O]['answers']>
  readonly end: () => Promise<void>
}

interface Answer {
  readonly id: number
  readonly answers?: unknown
  readonly failed?: string
}

/** A guest with its port's address set by hand, as after DHCP. */
async function startGuest(vpc: Vpc, port: Port): Promise<Guest> {
  const [program, ...args] = [...vpc.enter(), 'unshare', '--net', process.execPath]
  const script = fileURLToPath(new URL('guest-child.fixture.ts', import.meta.url))
  const child = spawn(program, [...args, script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: toolEnvironment,
  })
  const ended = once(child, 'exit')
  await Promise.race([once(child, 'message'), ended])
  assert.equal(child.exitCode, null, 'the guest runs')
  const tap = tapName(port.id)
  await run(
    [...vpc.enter(), 'ip', '-batch', '-'],
    `link del ${tap}
link add ${tap} type veth peer name eth0 address ${port.mac} netns ${child.pid}
link set ${tap} master br0 up
link set ${tap} type bridge_slave isolated on
`,
  )
  const waiting = new Map<number, (message: Answer) => void>()
  child.on('message', (message: Answer) => waiting.get(message.id)?.(message))
  let orders = 0
  const tell: Guest['tell'] = async (order, takes) => {
    const id = orders++
    const message = await new Promise<Answer>((resolve) => {
      waiting.set(id, resolve)
      child.send({ id, order, takes })
    })
    assert.equal(message.failed, undefined)
    return message.answers as never
  }
  const gateway = port.address.replace(/\d+$/, '1')
  await tell('shell', {
    line: `ip link set lo up; ip link set eth0 up
ip addr add ${port.address}/20 dev eth0; ip route add default via ${gateway}`,
  })
  return {
    tell,
    end: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}
