/**
 * The front door: what it holds at its limit, how good clients fare beside 2,000 slow ones
 * and beside 10,000, what malformed requests do, and whether what was acknowledged is
 * there when the service was killed. A good client here opens a connection for each call,
 * as commands do, so that it has to get in each time.
 */
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomInt } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { scratchFolder } from './disks.ts'
import { printTable, quantile, short } from './figures.ts'
import { exchange, malformedRequests, type Place, SlowClients } from '../test/hostile-clients.ts'
import { type Server, SignedClient } from './signed-client.ts'
import { startService } from './start-service.ts'

const phaseMs = 6000
const goodClients = 8
const limitPerSecond = 300
const fuzzRounds = 2000

/** What came of the calls of good clients. */
interface Calls {
  readonly ms: number[]
  readonly seconds: number
  /** Answers of 5xx, and connections that broke. */
  readonly faults: readonly string[]
  /** Told to come back later. */
  readonly limited: number
}

export async function benchFrontDoor(): Promise<void> {
  await using folder = await scratchFolder()
  const data = join(folder.path, 'imago')
  await mkdir(data)
  const phases: (readonly [string, Calls])[] = []
  {
    await using service = await startService(data)
    const { server } = service
    const place = placeOf(server)
    const run = async (name: string) => {
      const calls = await callFor(server, phaseMs, { isKept: false })
      const { nowMiB } = await service.memory()
      phases.push([`${name} (service: ${nowMiB.toFixed(0)} MiB)`, calls])
    }
    await callFor(server, 2000, { isKept: true })
    phases.push([
      '64 at once, connections kept',
      await callFor(server, phaseMs, { isKept: true, clients: 64 }),
    ])
    await run(`${goodClients} at once, one connection a call`)
    for (const count of [2000, 10_000]) {
      using slow = new SlowClients(place, count)
      await wait(2000)
      await run(`the same beside ${count} slow ones`)
      console.log(
        `of ${count} slow clients ${slow.openCount} are in, and ${slow.returns} were put out`,
      )
    }
    const fuzz = fuzzFor(place, phaseMs)
    await run('the same beside malformed requests')
    const { statuses, count } = await fuzz
    const shares = [...statuses].map(([status, times]) => `${status}: ${times}`).toSorted()
    console.log(`${count} malformed requests were answered with ${shares.join(', ')}\n`)
  }
  {
    await using service = await startService(data, {
      IMAGO_CALLS_PER_SECOND: String(limitPerSecond),
    })
    const calls = await callFor(service.server, phaseMs, { isKept: true, clients: 16 })
    phases.push([`16 at once of a key that may ${limitPerSecond} a second`, calls])
  }
  printTable([
    ['good clients', 'held a second', 'p50 ms', 'p99 ms', 'longest ms', 'faults', 'told to wait'],
    ...phases.map(([name, { ms, seconds, faults, limited }]) => [
      name,
      short(ms.length / seconds),
      short(quantile(ms, 0.5)),
      short(quantile(ms, 0.99)),
      short(Math.max(...ms)),
      String(faults.length),
      String(limited),
    ]),
  ])
  for (const [name, { faults }] of phases) if (faults[0]) console.log(`${name}: ${faults[0]}`)
  await benchLoss(data)
}

/** Clients write until the service is killed; then it is asked what it has. */
async function benchLoss(data: string): Promise<void> {
  const acknowledged = new Set<string>()
  let lost = 0
  const rounds = 3
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' })
  const material = Buffer.from(sshPublicKey(n, e)).toString('base64')
  for (let round = 0; round < rounds; round++) {
    const service = await startService(data)
    let isOver = false
    const writers = Array.from({ length: 16 }, async (_, writer) => {
      const client = new SignedClient(service.server)
      for (let index = 0; !isOver; index++) {
        const name = `key-${round}-${writer}-${index}`
        try {
          await client.ec2('ImportKeyPair', { KeyName: name, PublicKeyMaterial: material })
          acknowledged.add(name)
        } catch (error) {
          // Only the kill may be the cause.
          if (!isOver) throw error
        }
      }
      client.close()
    })
    await wait(randomInt(1000, 2000))
    isOver = true
    process.kill(service.pid, 'SIGKILL')
    await Promise.all(writers)
    await service[Symbol.asyncDispose]()
    await using again = await startService(data)
    const there = await again.client.ec2('DescribeKeyPairs')
    const names = new Set([...there.matchAll(/<keyName>([^<]*)</g)].map(([, name]) => name))
    lost = [...acknowledged].filter((name) => !names.has(name)).length
  }
  console.log(
    `${acknowledged.size} writes acknowledged by a service killed ${rounds} times: ${lost} lost\n`,
  )
}

async function callFor(
  server: Server,
  forMs: number,
  { isKept, clients = goodClients }: { readonly isKept: boolean; readonly clients?: number },
): Promise<Calls> {
  const ms: number[] = []
  const faults: string[] = []
  let limited = 0
  const start = performance.now()
  const call = async (client: SignedClient) => {
    const begun = performance.now()
    const form = new URLSearchParams({ Action: 'DescribeRegions', Version: '2016-11-15' })
    const asked = { service: 'ec2', method: 'POST', path: '/', body: form.toString() } as const
    try {
      const type = 'application/x-www-form-urlencoded'
      const { status, text } = await client.call({ ...asked, type })
      if (status === 200) ms.push(performance.now() - begun)
      else if (text.includes('RequestLimitExceeded')) limited++
      else faults.push(`${status} ${text.slice(0, 200)}`)
    } catch (error) {
      faults.push(String(error))
    }
  }
  const one = async () => {
    let client = new SignedClient(server)
    while (performance.now() - start < forMs) {
      await call(client)
      if (isKept) continue
      client.close()
      client = new SignedClient(server)
    }
    client.close()
  }
  await Promise.all(Array.from({ length: clients }, one))
  return { ms, faults, limited, seconds: (performance.now() - start) / 1000 }
}

/** Each malformed request once, then any of them changed anywhere. */
async function fuzzFor(place: Place, forMs: number) {
  const statuses = new Map<string, number>()
  const start = performance.now()
  const samples = malformedRequests()
  let count = 0
  const send = async (bytes: Buffer) => {
    count++
    for (const status of await exchange(place, bytes)) {
      statuses.set(String(status), (statuses.get(String(status)) ?? 0) + 1)
    }
  }
  await Promise.all(samples.map(([, bytes]) => send(bytes)))
  const one = async () => {
    while (performance.now() - start < forMs && count < fuzzRounds) {
      const [, bytes = Buffer.alloc(0)] = samples[randomInt(samples.length)] ?? []
      const changed = Buffer.from(bytes.subarray(0, 4000))
      for (let change = 0; change < 3; change++) changed[randomInt(changed.length)] = randomInt(256)
      await send(changed)
    }
  }
  await Promise.all(Array.from({ length: 8 }, one))
  return { statuses, count }
}

function placeOf({ endpoint }: Server): Place {
  const { hostname, port } = new URL(endpoint)
  return { host: hostname, port: Number(port) }
}

function sshPublicKey(n: string, e: string): string {
  const sized = (bytes: Buffer) => {
    const size = Buffer.alloc(4)
    size.writeUInt32BE(bytes.length)
    return Buffer.concat([size, bytes])
  }
  const number = (text: string) => Buffer.concat([Buffer.alloc(1), Buffer.from(text, 'base64url')])
  const parts = [Buffer.from('ssh-rsa'), Buffer.from(e, 'base64url'), number(n)].map(sized)
  const bytes = Buffer.concat(parts)
  assert(bytes.length > 256)
  return `ssh-rsa ${bytes.toString('base64')} bench`
}
