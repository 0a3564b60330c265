import assert from 'node:assert/strict'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import {
  AuthorizeSecurityGroupIngressCommand,
  type IpPermission,
  RevokeSecurityGroupIngressCommand,
} from '@aws-sdk/client-ec2'
import { lastFirst } from '../last-first.ts'
import type { Guest } from './guest.ts'
import { eventually, startWorld, type World } from './world.ts'

const opened = lastFirst()
let world: World
let guest: Guest
let neighbour: Guest

before(async () => {
  world = await startWorld(opened)
  const first = await world.launch()
  const second = await world.launch()
  guest = await first.ready()
  neighbour = await second.ready()
  // Answers with its name, connection by connection.
  await neighbour.run(
    `printf '#!/bin/sh\\nhostname\\n' >/tmp/answer; chmod +x /tmp/answer
     setsid nc -ll -p 8080 -e /tmp/answer </dev/null >/dev/null 2>&1 &`,
  )
})
after(opened.end)

const port = 8080
const web = (peer: Partial<IpPermission>): IpPermission => ({
  IpProtocol: 'tcp',
  FromPort: port,
  ToPort: port,
  ...peer,
})
const world4 = { IpRanges: [{ CidrIp: '0.0.0.0/0' }] }
const open = (permission: IpPermission) =>
  world.ec2.send(
    new AuthorizeSecurityGroupIngressCommand({
      GroupId: world.groupId,
      IpPermissions: [permission],
    }),
  )
const close = (permission: IpPermission) =>
  world.ec2.send(
    new RevokeSecurityGroupIngressCommand({ GroupId: world.groupId, IpPermissions: [permission] }),
  )

/** What the neighbour says to the other guest, or nothing where it cannot be reached. */
async function fromNeighbour(): Promise<string | undefined> {
  const { privateIp } = await neighbour.addresses()
  const { code, stdout } = await guest.try(`nc -w 2 ${privateIp} ${port} </dev/null`)
  return code === 0 && stdout !== '' ? stdout.trim() : undefined
}

/** What the neighbour says to a program of this host. */
async function fromHost(): Promise<string | undefined> {
  const { publicIp } = await neighbour.addresses()
  const socket = connect({ host: publicIp, port, timeout: 5000 })
  socket.once('timeout', () => socket.destroy(new Error('it does not answer')))
  const answer = await text(socket).catch(() => '')
  return answer === '' ? undefined : answer.trim()
}

test('a port is closed until a rule opens it, and closed again when the rule is revoked', async () => {
  const name = await neighbour.run('hostname')
  assert.equal(await fromHost(), undefined)
  assert.equal(await fromNeighbour(), undefined)

  await open(web(world4))
  assert.equal(await eventually('the open port, from the host', fromHost), name)
  assert.equal(await eventually('the open port, from the neighbour', fromNeighbour), name)

  await close(web(world4))
  await eventually('the closed port', async () => (await fromHost()) === undefined)
  assert.equal(await fromNeighbour(), undefined)
})

test('a rule for a group lets its members in, and nobody else', async () => {
  const members = web({ UserIdGroupPairs: [{ GroupId: world.groupId }] })
  await open(members)
  assert.equal(await eventually('a member', fromNeighbour), await neighbour.run('hostname'))
  assert.equal(await fromHost(), undefined)
  await close(members)
  await eventually('the closed port', async () => (await fromNeighbour()) === undefined)
})

test('a guest speaks from its own address only', async () => {
  await open({
    IpProtocol: 'icmp',
    FromPort: -1,
    ToPort: -1,
    IpRanges: [{ CidrIp: '172.31.0.0/16' }],
  })
  const { privateIp } = await neighbour.addresses()
  const ping = (from: string) => guest.try(`ping -c 1 -W 2 ${from} ${privateIp}`)
  await eventually('an answer', async () => (await ping('')).code === 0)
  await guest.run('ip addr add 172.31.0.99/20 dev eth0')
  assert.notEqual((await ping('-I 172.31.0.99')).code, 0)
  await guest.run('ip addr del 172.31.0.99/20 dev eth0')
  assert.equal((await ping('')).code, 0)
})

test("a guest does not reach the host's loopback", async () => {
  const server = createServer((socket) => socket.end('the host\n'))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  try {
    const address = server.address()
    assert(address !== null && typeof address === 'object')
    const gateway = await guest.run(`ip route | awk '/^default/ { print $3 }'`)
    // Its own loopback, its gateway, and where slirp4netns has the host by default.
    for (const host of ['127.0.0.1', gateway, '198.18.0.2', '10.0.2.2']) {
      const { stdout } = await guest.try(`nc -w 2 ${host} ${address.port} </dev/null`)
      assert.equal(stdout, '', host)
    }
  } finally {
    await new Promise((done) => server.close(done))
  }
})

test('a neighbour is found by its name', async () => {
  const name = await neighbour.run('hostname')
  const { privateIp } = await neighbour.addresses()
  assert.match(await guest.run(`nslookup ${name}`), new RegExp(`Address.*: ${privateIp}`))
})
