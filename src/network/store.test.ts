import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { type Database, transaction } from '../db/database.ts'
import { callerIn } from '../iam/testing.ts'
import { formatId, type Id, type Kind } from '../lib/ids.ts'
import { ensureDefaultNetwork } from './defaults.ts'
import {
  deleteGroup,
  findGroup,
  insertGroup,
  insertRules,
  listGroups,
  listRules,
  listRulesOfVpc,
} from './group-store.ts'
import { countInterfacesInGroup, listInterfaces, setInterfaceGroups } from './interface-store.ts'
import { createInterface, releaseInterface, type WantedInterface } from './interfaces.ts'
import { assignPublicIps, releasePublicIps } from './public-address.ts'
import type { SecurityGroupRule } from './security-group-rule.ts'
import type { SecurityGroup } from './security-group.ts'
import { findDefaultVpc, listSubnets } from './store.ts'

const accountId = '111111111111'
const region = 'us-east-1'
const owner = { accountId, region }
const caller = callerIn(accountId)
const now = new Date(1_000_000)

/** Ids that count up, so that their order is the order in which they were made. */
function ids() {
  let next = 0
  return <K extends Kind>(kind: K): Id<K> => {
    const bytes = Buffer.alloc(9)
    bytes.writeUInt32BE(++next, 1)
    return formatId(kind, bytes)
  }
}

async function prepare(writes: Database) {
  const newId = ids()
  const vpc = await transaction(writes, (tx) => ensureDefaultNetwork(tx, { ...owner, newId, now }))
  const make = (changes: Partial<WantedInterface> = {}) =>
    transaction(writes, (tx) =>
      createInterface(
        { tx, now, newId, caller, region },
        {
          instanceId: 'i-00000000000000001',
          deviceIndex: 0,
          deleteOnTermination: true,
          ...changes,
        },
      ),
    )
  return { newId, vpc, make }
}

for (const [name, start] of Object.entries(databases)) {
  describe(`networks on ${name}`, () => {
    test('an account has one default network in a Region, however often it is ensured', async (context) => {
      const { writes, reads } = await start(context)
      const { vpc, newId } = await prepare(writes)
      const again = await transaction(writes, (tx) =>
        ensureDefaultNetwork(tx, { ...owner, newId, now }),
      )
      assert.deepEqual(again, vpc)
      assert.deepEqual(await findDefaultVpc(reads, owner), vpc)
      const subnets = await listSubnets(reads, owner)
      assert.deepEqual(
        subnets.map(({ availabilityZone, cidr }) => [availabilityZone, cidr]),
        [
          ['us-east-1a', '172.31.0.0/20'],
          ['us-east-1b', '172.31.16.0/20'],
          ['us-east-1c', '172.31.32.0/20'],
        ],
      )
      const [group, ...others] = await listGroups(reads, owner)
      assert.equal(group?.name, 'default')
      assert.equal(others.length, 0)
      const rules = await listRulesOfVpc(reads, vpc.id)
      assert.deepEqual(
        rules.map(({ isEgress, protocol, peer }) => [isEgress, protocol, peer]),
        [
          [false, '-1', { kind: 'group', groupId: group?.id }],
          [true, '-1', { kind: 'ipv4', cidr: '0.0.0.0/0' }],
        ],
      )
      assert.equal(await findDefaultVpc(reads, { ...owner, region: 'eu-west-1' }), undefined)
    })

    test('a group and its rules come back as they were recorded, and go together', async (context) => {
      const { writes, reads } = await start(context)
      const { newId, vpc } = await prepare(writes)
      const group: SecurityGroup = {
        ...owner,
        id: newId('security-group'),
        vpcId: vpc.id,
        name: 'web',
        description: 'for the web',
      }
      const rule = {
        ...owner,
        groupId: group.id,
        isEgress: false,
        protocol: 'tcp',
        fromPort: 80,
        toPort: 443,
        description: undefined,
      }
      const rules: SecurityGroupRule[] = [
        { ...rule, id: newId('security-group-rule'), peer: { kind: 'ipv4', cidr: '10.0.0.0/8' } },
        { ...rule, id: newId('security-group-rule'), peer: { kind: 'ipv6', cidr: '::/0' } },
        {
          ...rule,
          id: newId('security-group-rule'),
          peer: { kind: 'group', groupId: group.id },
          description: 'each other',
        },
      ]
      await transaction(writes, async (tx) => {
        await insertGroup(tx, group)
        await insertRules(tx, rules)
      })
      assert.deepEqual(await findGroup(reads, { ...owner, id: group.id }), group)
      const own = (await listRules(reads, owner)).filter(({ groupId }) => groupId === group.id)
      assert.deepEqual(own, rules)
      const twin = { ...group, id: newId('security-group') }
      await assert.rejects(
        transaction(writes, (tx) => insertGroup(tx, twin)),
        { code: 'InvalidGroup.Duplicate' },
      )
      await transaction(writes, (tx) => deleteGroup(tx, group.id))
      assert.equal(await findGroup(reads, { ...owner, id: group.id }), undefined)
      assert.equal((await listRules(reads, owner)).length, 2)
    })

    test('each interface has addresses of its own, and they are free again after', async (context) => {
      const { writes, reads } = await start(context)
      const { make } = await prepare(writes)
      const first = await make()
      const second = await make({ instanceId: 'i-00000000000000002' })
      assert.deepEqual([first.privateIp, second.privateIp], ['172.31.0.4', '172.31.0.5'])
      assert.match(first.publicIp ?? '', /^127\.10\./)
      assert.notEqual(first.publicIp, second.publicIp)
      assert.match(first.mac, /^02(:[0-9a-f]{2}){5}$/)
      assert.deepEqual(await listInterfaces(reads, owner), [first, second])
      const query = { instanceIds: ['i-00000000000000002' as const] }
      assert.deepEqual(await listInterfaces(reads, query), [second])
      await transaction(writes, (tx) => releaseInterface(tx, first.id))
      const third = await make({ availabilityZone: 'us-east-1a' })
      assert.equal(third.privateIp, '172.31.0.4')
      const other = await make({ availabilityZone: 'us-east-1b', wantsPublicIp: false })
      assert.deepEqual([other.privateIp, other.publicIp], ['172.31.16.4', undefined])
    })

    test('a public address goes back when its instance stops, and another comes', async (context) => {
      const { writes, reads } = await start(context)
      const { make } = await prepare(writes)
      const { instanceId } = (await make()).attachment ?? {}
      assert(instanceId)
      const publicIps = async () =>
        (await listInterfaces(reads, { instanceIds: [instanceId] })).map((one) => one.publicIp)
      const assign = (start: number) =>
        transaction(writes, (tx) => {
          const bytes = Buffer.alloc(4)
          bytes.writeUInt32BE(start)
          return assignPublicIps({ tx, randomBytes: () => bytes }, instanceId)
        })
      await transaction(writes, (tx) => releasePublicIps(tx, instanceId))
      assert.deepEqual(await publicIps(), [undefined])
      // 127.10.0.5 and 250 more: 127.10.0.255 is left out, and so is 127.10.1.0.
      await assign(250)
      assert.deepEqual(await publicIps(), ['127.10.1.1'])
      await assign(1)
      assert.deepEqual(await publicIps(), ['127.10.1.1'])
    })

    test('an address that is taken, reserved or of another subnet is refused', async (context) => {
      const { writes } = await start(context)
      const { make } = await prepare(writes)
      assert.equal((await make({ privateIp: '172.31.0.77' })).privateIp, '172.31.0.77')
      const refused = (privateIp: string, code: string) =>
        assert.rejects(make({ privateIp }), { code }, privateIp)
      await refused('172.31.0.77', 'InvalidIPAddress.InUse')
      await refused('172.31.0.3', 'InvalidParameterValue')
      await refused('172.31.15.255', 'InvalidParameterValue')
      await refused('172.31.16.9', 'InvalidParameterValue')
      await refused('nonsense', 'InvalidParameterValue')
    })

    test('an interface is in the groups it asks for, else in the default one', async (context) => {
      const { writes, reads } = await start(context)
      const { newId, vpc, make } = await prepare(writes)
      const web: SecurityGroup = {
        ...owner,
        id: newId('security-group'),
        vpcId: vpc.id,
        name: 'web',
        description: 'for the web',
      }
      await transaction(writes, (tx) => insertGroup(tx, web))
      const [standard] = (await listGroups(reads, owner)).filter((one) => one.name === 'default')
      assert(standard)
      assert.deepEqual((await make()).groupIds, [standard.id])
      const made = await make({ groupIds: [web.id], groupNames: ['default', 'web'] })
      assert.deepEqual(made.groupIds, [web.id, standard.id])
      assert.equal(await countInterfacesInGroup(reads, web.id), 1)
      await transaction(writes, (tx) => setInterfaceGroups(tx, made.id, [standard.id]))
      assert.equal(await countInterfacesInGroup(reads, web.id), 0)
      const missing = 'sg-00000000000000fff'
      await assert.rejects(make({ groupIds: [missing] }), { code: 'InvalidGroup.NotFound' })
      await assert.rejects(make({ groupNames: ['none'] }), { code: 'InvalidGroup.NotFound' })
    })
  })
}
