/** The network of a VPC as its guests see it. Runs as root and as an ordinary user alike. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { findDaemon, signalDaemon } from './daemon.ts'
import { checkNetwork } from './doctor.ts'
import { everywhere, portOf, startNetwork } from './guest.fixture.ts'
import { findNamespace } from './namespace.ts'
import { run } from './run.ts'
import { Vpc } from './vpc.ts'

const lacks = await checkNetwork()
const skip =
  lacks.length > 0 ? lacks.map(({ what, remedy }) => `${what}: ${remedy}`).join('; ') : false
/** Only a test that has made the host's network itself may speak on it: vpc.user.test.ts. */
const outsideAddress = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .map(({ address }) => address)
  .find((address) => address === '203.0.113.1')

test('a guest gets the address of its port, and a stranger gets none', { skip }, async (t) => {
  const port = portOf(5)
  const { vpc, specOf, addGuest } = await startNetwork(t, [port])
  const guest = await addGuest(port)
  await guest.tell('shell', { line: 'ip addr flush dev eth0; ip route add default dev eth0' })
  const lease = {
    address: '172.31.0.5',
    router: '172.31.0.1',
    resolver: '172.31.0.2',
    hostname: 'ip-172-31-0-5',
    mtu: 1500,
  }
  assert.deepEqual(await guest.tell('dhcp', { mac: port.mac, timeoutMs: 5_000 }), lease)
  assert.equal(await guest.tell('dhcp', { mac: '02:00:00:00:00:99', timeoutMs: 500 }), null)

  // The address is free again: its next owner gets it, whoever had it before.
  const next = portOf(5, { id: 'i-next', mac: '02:00:00:00:00:55' })
  await vpc.apply(specOf([next]))
  const successor = await addGuest(next)
  await successor.tell('shell', { line: 'ip addr flush dev eth0; ip route add default dev eth0' })
  assert.deepEqual(await successor.tell('dhcp', { mac: next.mac, timeoutMs: 5_000 }), lease)
})

test('a neighbour is let in by a rule alone, within a subnet and across', { skip }, async (t) => {
  const open = { protocol: 'tcp', fromPort: 80, toPort: 81 } as const
  const server = portOf(5, { ingress: [{ ...open, cidrs: ['172.31.0.6/32'] }] })
  const friend = portOf(6)
  const stranger = portOf(7, { address: '172.31.16.7' })
  const { vpc, specOf, addGuest } = await startNetwork(t, [server, friend, stranger])
  const [a, b, c] = await Promise.all([server, friend, stranger].map(addGuest))
  assert(a && b && c)
  await a.tell('listen', { port: 80 })
  await a.tell('listen', { port: 82 })
  assert.equal(await b.tell('connect', { host: server.address, port: 80 }), '172.31.0.6')
  assert.equal(await b.tell('connect', { host: server.address, port: 81 }), 'ECONNREFUSED')
  const denied = [
    b.tell('connect', { host: server.address, port: 82 }),
    c.tell('connect', { host: server.address, port: 80 }),
  ]
  assert.deepEqual(await Promise.all(denied), ['timeout', 'timeout'])

  const wider = { ...server, ingress: [{ ...open, cidrs: ['172.31.0.0/16', '172.31.0.6/32'] }] }
  await vpc.apply(specOf([wider, friend, stranger]))
  assert.equal(await c.tell('connect', { host: server.address, port: 80 }), '172.31.16.7')

  const silent = { ...friend, egress: [] }
  await vpc.apply(specOf([wider, silent, stranger]))
  assert.equal(await b.tell('connect', { host: server.address, port: 80 }), 'timeout')
})

test('the resolver knows the guests by name', { skip }, async (t) => {
  const port = portOf(5, { egress: [] })
  const { addGuest } = await startNetwork(t, [port, portOf(6)])
  const guest = await addGuest(port)
  const resolve = (name: string) => guest.tell('resolve', { server: '172.31.0.2', name })
  assert.deepEqual(await resolve('ip-172-31-0-6.ec2.internal'), ['172.31.0.6'])
  assert.deepEqual(await resolve('ip-172-31-0-7.ec2.internal'), ['ENOTFOUND'])
})

test(
  'the metadata service knows its caller, and nobody can pose as another',
  { skip },
  async (t) => {
    const port = portOf(5, { egress: [] })
    const barred = portOf(6, { metadata: { enabled: false, hopLimit: 1 } })
    const { vpc, addGuest } = await startNetwork(t, [port, barred])
    const { metadata } = await listenInside(t, vpc)
    metadata.on('connection', (socket) => socket.end(socket.remoteAddress ?? ''))
    const [guest, other] = await Promise.all([port, barred].map(addGuest))
    assert(guest && other)
    const target = { host: '169.254.169.254', port: 80 }
    assert.equal(await guest.tell('connect', target), '172.31.0.5')
    assert.equal(await other.tell('connect', target), 'ECONNREFUSED')

    const asGuest = { ...target, localAddress: '172.31.0.5' }
    await other.tell('shell', { line: 'ip addr add 172.31.0.5/20 dev eth0' })
    const denied = [
      other.tell('connect', asGuest),
      guest.tell('connect', { ...target, port: 81 }),
      guest.tell('connect', { host: '169.254.169.253', port: 80 }),
    ]
    assert.deepEqual(await Promise.all(denied), ['timeout', 'timeout', 'timeout'])
    await other.tell('shell', { line: `ip link set eth0 address ${port.mac}` })
    assert.equal(await other.tell('connect', asGuest), 'timeout')
  },
)

test('the API is reached by those whose rules let them out to it', { skip }, async (t) => {
  const web = { protocol: 'tcp', fromPort: 80, toPort: 80 } as const
  const port = portOf(5)
  const narrow = portOf(6, { egress: [{ ...web, cidrs: ['169.254.169.252/32'] }] })
  const silent = portOf(7, { egress: [{ ...web, cidrs: ['172.31.0.0/16'] }] })
  const { vpc, specOf, addGuest } = await startNetwork(t, [port, narrow, silent])
  const { api } = await listenInside(t, vpc)
  api.on('connection', (socket) => socket.end(socket.remoteAddress ?? ''))
  const [a, b, c] = await Promise.all([port, narrow, silent].map(addGuest))
  assert(a && b && c)
  const target = { host: '169.254.169.252', port: 80 }
  assert.equal(await a.tell('connect', target), '172.31.0.5')
  assert.equal(await b.tell('connect', target), '172.31.0.6')
  const denied = [
    c.tell('connect', target),
    a.tell('connect', { ...target, port: 81 }),
    a.tell('connect', { ...target, host: '169.254.169.251' }),
  ]
  assert.deepEqual(await Promise.all(denied), ['timeout', 'timeout', 'timeout'])

  await vpc.apply(specOf([{ ...port, egress: [] }, narrow, { ...silent, egress: [everywhere] }]))
  assert.equal(await a.tell('connect', target), 'timeout')
  assert.equal(await c.tell('connect', target), '172.31.0.7')
  await c.tell('shell', { line: 'ip addr add 172.31.0.6/20 dev eth0' })
  assert.equal(await c.tell('connect', { ...target, localAddress: '172.31.0.6' }), 'timeout')
})

test('only the answer to a PUT is bound to the hop limit', { skip }, async (t) => {
  const port = portOf(5, { metadata: { enabled: true, hopLimit: 3 } })
  const { vpc, addGuest } = await startNetwork(t, [port])
  const { metadata } = await listenInside(t, vpc)
  metadata.on('connection', (socket) => socket.once('data', () => socket.end('answer')))
  const guest = await addGuest(port)
  await guest.tell('shell', {
    line: `nft 'table ip watch { set seen { typeof ip ttl; flags dynamic; size 64; }
chain input { type filter hook input priority 0; ip length > 57 ip saddr 169.254.169.254 add @seen { ip ttl }; }; }'`,
  })
  const ttlsAfter = async (said: string): Promise<readonly number[]> => {
    await guest.tell('shell', { line: 'nft flush set ip watch seen' })
    const target = { host: '169.254.169.254', port: 80, text: said }
    assert.equal(await guest.tell('connect', target), 'answer')
    const set = await guest.tell('shell', { line: 'nft list set ip watch seen' })
    const listed = /elements = \{ (.*) \}/.exec(set)?.[1] ?? ''
    return [...listed.matchAll(/\d+/g)].map(Number).toSorted((one, other) => one - other)
  }
  const synAck = 64
  assert.deepEqual(await ttlsAfter('GET /latest/meta-data/ HTTP/1.1\r\n\r\n'), [64])
  assert.deepEqual(await ttlsAfter('PUT /latest/api/token HTTP/1.1\r\n\r\n'), [3, synAck])
  assert.deepEqual(await ttlsAfter('P'), [3, synAck], 'a request in pieces does not get around it')
})

test("the host's loopback is out of reach of a guest", { skip }, async (t) => {
  const port = portOf(5)
  const { vpc, addGuest } = await startNetwork(t, [port])
  const guest = await addGuest(port)
  const host = createServer(() => assert.fail('a guest has reached the host'))
  await listen(t, host)
  const address = host.address()
  assert(address !== null && typeof address === 'object')
  const gateways = ['198.18.0.2', '198.18.0.100', '198.18.0.3', '172.31.0.1', '172.31.16.1']
  const tries = gateways.map((at) => guest.tell('connect', { host: at, port: address.port }))
  assert.deepEqual(await Promise.all(tries), Array(gateways.length).fill('timeout'))
  // Neither does the way out itself lead there, were the filter to let it.
  const script = `require('node:net').connect(${address.port}, '198.18.0.2')
    .on('connect', () => process.exit(0)).on('error', () => process.exit(17))`
  await assert.rejects(run([...vpc.enter(), process.execPath, '-e', script]), /: 17:/)
})

test(
  'a guest reaches the outside as its egress rules allow, as the host',
  {
    skip: skip || (outsideAddress === undefined && 'no address of the host may be used for it'),
  },
  async (t) => {
    assert(outsideAddress !== undefined)
    const port = portOf(5, { egress: [{ protocol: 'all', cidrs: [`${outsideAddress}/32`] }] })
    const { vpc, specOf, addGuest } = await startNetwork(t, [port])
    const guest = await addGuest(port)
    const server = createServer((socket) => socket.end(socket.remoteAddress ?? ''))
    await listen(t, server, outsideAddress, 28_090)
    const target = { host: outsideAddress, port: 28_090 }
    assert.equal(await guest.tell('connect', target), outsideAddress)
    await vpc.apply(specOf([{ ...port, egress: [] }]))
    assert.equal(await guest.tell('connect', target), 'timeout')
  },
)

test('an opened port is forwarded from the public address', { skip }, async (t) => {
  const publicAddress = '127.199.0.5'
  const ssh = { protocol: 'tcp', fromPort: 22, toPort: 22, cidrs: ['0.0.0.0/0'] } as const
  const port = portOf(5, { publicAddress, ingress: [ssh], egress: [] })
  const { vpc, specOf, addGuest } = await startNetwork(t, [port])
  const guest = await addGuest(port)
  await guest.tell('listen', { port: 22 })
  const [forward] = vpc.forwards()
  assert.equal(forward?.port, 22)
  assert.equal(await text(connect(forward.hostPort, publicAddress)), '198.18.0.2')

  const again = new Vpc(specOf([]).folder)
  assert.deepEqual(await again.apply(specOf([port])), { warnings: [], isNew: false })
  assert.deepEqual(again.forwards(), vpc.forwards())
  assert.equal(await text(connect(forward.hostPort, publicAddress)), '198.18.0.2')

  await vpc.apply(specOf([{ ...port, ingress: [{ ...ssh, cidrs: ['10.0.0.0/8'] }] }]))
  assert.deepEqual(vpc.forwards(), [])
  const [error] = await once(connect(forward.hostPort, publicAddress), 'error')
  assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED')
})

test('a port taken on the host costs a warning, not the network', { skip }, async (t) => {
  const taken = createServer()
  await listen(t, taken, '127.199.0.6', 28_080)
  const rule = { protocol: 'tcp', fromPort: 28_080, toPort: 28_081, cidrs: ['0.0.0.0/0'] } as const
  const { vpc, specOf } = await startNetwork(t, [])
  const port = portOf(6, { publicAddress: '127.199.0.6', ingress: [rule] })
  const { warnings } = await vpc.apply(specOf([port]))
  assert.equal(warnings.length, 1)
  assert.match(warnings[0] ?? '', /tcp 127\.199\.0\.6:28080/)
  assert.deepEqual(
    vpc.forwards().map((forward) => forward.hostPort),
    [28_081],
  )
})

test('applying again changes nothing, and what is gone comes back', { skip }, async (t) => {
  const port = portOf(5, { ingress: [everywhere] })
  const { vpc, specOf, addGuest } = await startNetwork(t, [port])
  const { folder } = specOf([])
  const rules = () => run([...vpc.enter(), 'nft', '--stateless', 'list', 'ruleset'])
  const links = () => run([...vpc.enter(), 'ip', '-br', 'link'])
  const [rulesBefore, linksBefore] = [await rules(), await links()]
  await vpc.apply(specOf([port, portOf(6), portOf(7)]))
  await vpc.apply(specOf([{ ...port, ingress: [] }, portOf(6)]))
  await vpc.apply(specOf([port]))
  assert.equal(await links(), linksBefore)
  assert.deepEqual(await new Vpc(folder).apply(specOf([port])), { warnings: [], isNew: false })
  assert.equal(await rules(), rulesBefore)

  const guest = await addGuest(port)
  for (const name of ['holder', 'dnsmasq', 'slirp4netns']) {
    signalDaemon({ folder, name }, 'SIGKILL')
    await gone(folder, name)
    assert.deepEqual(await vpc.apply(specOf([port])), { warnings: [], isNew: false }, name)
    assert.notEqual(findDaemon({ folder, name }), undefined, name)
  }
  const name = 'ip-172-31-0-5.ec2.internal'
  assert.deepEqual(await guest.tell('resolve', { server: '172.31.0.2', name }), [port.address])
})

test('a network of which nothing is left is made anew', { skip }, async (t) => {
  const { vpc, specOf } = await startNetwork(t, [portOf(5)])
  const { folder } = specOf([])
  const names = ['holder', 'dnsmasq', 'slirp4netns']
  for (const name of names) signalDaemon({ folder, name }, 'SIGKILL')
  await Promise.all(names.map((name) => gone(folder, name)))
  assert.deepEqual(await vpc.apply(specOf([portOf(5)])), { warnings: [], isNew: true })
  await vpc.destroy()
  assert.equal(findNamespace(folder), undefined)
})

test(
  'who dies while it opens the sockets inside leaves nobody who has them',
  { skip },
  async (t) => {
    const { vpc } = await startNetwork(t, [portOf(5)])
    const sockets = new URL('inside-sockets.ts', import.meta.url).href
    const dies = `
    import { ChildProcess } from 'node:child_process'
    import { listenInside } from ${JSON.stringify(sockets)}
    const { emit } = ChildProcess.prototype
    ChildProcess.prototype.emit = function (name, ...rest) {
      if (name === 'message') process.kill(process.pid, 'SIGKILL')
      return emit.call(this, name, ...rest)
    }
    await listenInside(${JSON.stringify(vpc.enter())})`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', dies], {
      stdio: 'inherit',
    })
    assert.deepEqual(await once(parent, 'exit'), [null, 'SIGKILL'])

    const untilMs = performance.now() + 5_000
    while (performance.now() < untilMs) {
      if (await listenInside(t, vpc).catch(() => undefined)) return
    }
    assert.fail('somebody has the sockets')
  },
)

async function listenInside(t: TestContext, vpc: Vpc) {
  const sockets = await vpc.listen()
  t.after(() => Object.values(sockets).forEach((socket: Server) => socket.close()))
  return sockets
}

async function gone(folder: string, name: string): Promise<void> {
  while (findDaemon({ folder, name }) !== undefined) await new Promise(setImmediate)
}

async function listen(t: TestContext, server: Server, host = '127.0.0.1', port = 0): Promise<void> {
  server.listen(port, host)
  await once(server, 'listening')
  t.after(() => server.close())
}
