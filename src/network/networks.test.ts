import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { databases } from '../../test/databases.ts'
import { lastFirst } from '../../test/last-first.ts'
import { transaction } from '../db/database.ts'
import { callerIn } from '../iam/testing.ts'
import { noCause } from '../instances/cause.ts'
import { changeInstanceState, insertInstance } from '../instances/store.ts'
import { anInstance } from '../instances/testing.ts'
import { formatId, type Id, type Kind } from '../lib/ids.ts'
import type { InsideSockets } from '../vpc/inside-sockets.ts'
import type { Port } from '../vpc/spec.ts'
import { ensureDefaultNetwork, ruleOf } from './defaults.ts'
import { insertRules, listGroups } from './group-store.ts'
import { createInterface } from './interfaces.ts'
import { Networks } from './networks.ts'
import { networkReconciler } from './reconcile.ts'
import { vpcSpec } from './spec.ts'

const accountId = '111111111111'
const region = 'us-east-1'
const owner = { accountId, region }
const now = new Date(1_000_000)
const [first, second] = [anInstance(1).id, anInstance(2).id]

/** Two instances that run, as far as the rows say. */
async function start(context: TestContext) {
  // The database is closed last.
  const opened = lastFirst()
  context.after(opened.end)
  const db = await databases.sqlite(opened)
  const runFolder = await mkdtemp(join(tmpdir(), 'imago-networks-'))
  let next = 0
  const newId = <K extends Kind>(kind: K): Id<K> => {
    const bytes = Buffer.alloc(9)
    bytes.writeUInt32BE(++next, 1)
    return formatId(kind, bytes)
  }
  const caller = callerIn(accountId)
  const vpc = await transaction(db.writes, async (tx) => {
    const made = await ensureDefaultNetwork(tx, { ...owner, newId, now })
    for (const number of [1, 2]) {
      const instance = anInstance(number, { ...owner, vpcId: made.id })
      await insertInstance(tx, instance)
      await createInterface(
        { tx, now, newId, caller, region },
        { instanceId: instance.id, deviceIndex: 0, deleteOnTermination: true },
      )
    }
    return made
  })
  const [group] = await listGroups(db.reads, owner)
  assert(group)
  const sockets: InsideSockets[] = []
  const log = { info() {}, warn() {}, error: assert.fail }
  const networks = new Networks({
    db: db.reads,
    runFolder,
    log,
    onSockets: (_, opened) => void sockets.push(opened),
  })
  const stop = (id: Id<'instance'>) =>
    transaction(db.writes, (tx) =>
      changeInstanceState(tx, { id, from: 'running', to: 'stopped', at: now, cause: noCause }),
    )
  opened.after(async () => {
    for (const id of [first, second]) await stop(id)
    await networks.close()
    for (const socket of sockets.flatMap(({ metadata, api }) => [metadata, api])) socket.close()
    await rm(runFolder, { recursive: true })
  })
  const open = { protocol: 'tcp', fromPort: 8080, toPort: 8081, description: undefined } as const
  return {
    db,
    vpc,
    networks,
    runFolder,
    sockets,
    stop,
    spec: () => vpcSpec(db.reads, { vpcId: vpc.id, folder: join(runFolder, vpc.id) }),
    allow: () =>
      transaction(db.writes, async (tx) => {
        const peer = { kind: 'ipv4', cidr: '0.0.0.0/0' } as const
        await insertRules(tx, [ruleOf(group, { ...open, isEgress: false, peer }, newId)])
      }),
  }
}

test('a group that a rule names stands for the addresses of its running members', async (context) => {
  const { spec, stop, allow } = await start(context)
  const all = { protocol: 'all', fromPort: -1, toPort: -1 } as const
  const both = await spec()
  assert.equal(both.resolverAddress, '172.31.0.2')
  assert.equal(both.domain, 'ec2.internal')
  assert.deepEqual(
    both.ports.map((port): Partial<Port> => ({
      address: port.address,
      hostname: port.hostname,
      ingress: port.ingress,
    })),
    ['4', '5'].map((last) => ({
      address: `172.31.0.${last}`,
      hostname: `ip-172-31-0-${last}.ec2.internal`,
      ingress: [{ ...all, cidrs: ['172.31.0.4/32', '172.31.0.5/32'] }],
    })),
  )
  await stop(second)
  await allow()
  const [port, ...others] = (await spec()).ports
  assert.deepEqual(others, [])
  assert.deepEqual(port?.ingress, [
    { ...all, cidrs: ['172.31.0.4/32'] },
    { protocol: 'tcp', fromPort: 8080, toPort: 8081, cidrs: ['0.0.0.0/0'] },
  ])
  assert.deepEqual(port.egress, [{ ...all, cidrs: ['0.0.0.0/0'] }])
})

test('a network is what its rows say, and ends when nobody is in it', async (context) => {
  const { db, networks, vpc, allow, stop, sockets, runFolder } = await start(context)
  const applied = await Promise.all([1, 2, 3].map(() => networks.apply(vpc.id)))
  const inside = (...command: string[]) => {
    const [program = '', ...args] = [...(applied[0]?.enter ?? []), ...command]
    return execFileSync(program, args, {
      encoding: 'utf8',
      stdio: 'pipe',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    })
  }
  const taps = () => inside('ip', '-br', 'link').match(/^tap/gm)?.length ?? 0
  assert.equal(taps(), 2)
  assert.doesNotMatch(inside('nft', 'list', 'ruleset'), /8080/)

  const reconciler = networkReconciler({ db, networks })
  const look = async () => {
    for (const due of await reconciler.due()) await reconciler.step(due)
  }
  await allow()
  await look()
  assert.match(inside('nft', 'list', 'ruleset'), /8080/)

  await stop(second)
  await look()
  assert.equal(taps(), 1)

  await stop(first)
  await networks.close()
  assert.equal(sockets.length, 1)
  const isOpen = ({ metadata, api }: InsideSockets) => metadata.listening || api.listening
  assert(!sockets.some(isOpen), 'what is left open keeps the namespace')
  assert(!existsSync(join(runFolder, vpc.id, 'holder.pid')))
  assert.throws(() => inside('true'))
})
