import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { NbdServer } from './server.ts'

const run = promisify(execFile)
const MiB = 2 ** 20
/** Not whole blocks of anything but sectors. */
const sizeBytes = 3 * MiB + 512
const damagedAt = 2 * MiB

async function start(context: TestContext) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'nbd-')))
  const path = join(folder, 'nbd.sock')
  const bytes = randomBytes(sizeBytes)
  const errors: unknown[] = []
  const seen = { open: 0, reading: 0, readingMost: 0, breaks: false }
  const options = {
    path,
    onError: (error: unknown) => void errors.push(error),
    async open(name: string) {
      if (name === 'refused') throw new Error('its key is not to be used')
      if (name !== 'disk' && name !== 'damaged') return undefined
      seen.open++
      return {
        sizeBytes,
        async read(offset: number, length: number) {
          seen.readingMost = Math.max(seen.readingMost, ++seen.reading)
          await new Promise((resolve) => setImmediate(resolve))
          seen.reading--
          if (seen.breaks) throw new Error('the disk of the host is broken')
          if (name === 'damaged' && offset <= damagedAt && damagedAt < offset + length) {
            return undefined
          }
          const middle = offset + Math.floor(length / 2)
          return [bytes.subarray(offset, middle), bytes.subarray(middle, offset + length)]
        },
        [Symbol.dispose]() {
          seen.open--
        },
      }
    },
  }
  let server = await NbdServer.listen(options)
  context.after(async () => {
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })
  const restart = async () => {
    await server[Symbol.asyncDispose]()
    server = await NbdServer.listen(options)
  }
  return { folder, path, bytes, seen, errors, restart }
}

const uri = (path: string, name: string) => `nbd+unix:///${name}?socket=${path}`

test('QEMU reads from it what there is, and is told of nothing else', async (context) => {
  const { folder, path, bytes, seen, errors } = await start(context)
  const raw = join(folder, 'raw')
  await writeFile(raw, bytes)
  await run('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', raw, uri(path, 'disk')])
  const copy = join(folder, 'copy')
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'raw', uri(path, 'disk'), copy])
  await run('cmp', [raw, copy])
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await assert.rejects(
    run('qemu-img', ['info', uri(path, 'another')]),
    /no such export|not present/,
  )
  await assert.rejects(
    run('qemu-img', ['info', uri(path, 'refused')]),
    /no such export|not present/,
  )
  assert.match(String(errors), /its key is not to be used/)
  await assert.rejects(
    run('qemu-io', ['-f', 'raw', '-c', 'write 0 512', uri(path, 'disk')]),
    /Permission denied/,
  )
  assert.equal(seen.open, 0)
})

test('what is damaged is an error of input and output, and the rest is read', async (context) => {
  const { path, errors } = await start(context)
  const io = ['-r', '-f', 'raw', uri(path, 'damaged')]
  const failed = await run('qemu-io', ['-c', 'read 2M 512', ...io]).catch((error: Error) => error)
  assert.match(JSON.stringify(failed), /Input\/output error/)
  const { stdout } = await run('qemu-io', ['-c', 'read 0 1M', '-c', 'flush', ...io])
  assert.match(stdout, /read 1048576\/1048576 bytes/)
  assert.deepEqual(errors, [])
})

test('who is connected when the server goes waits for the next one', async (context) => {
  const { path, seen, restart } = await start(context)
  const node = {
    driver: 'nbd',
    server: { type: 'unix', path },
    export: 'disk',
    'reconnect-delay': 60,
  }
  const commands = ['read 0 64k', 'sleep 500', 'read 1M 64k'].flatMap((one) => ['-c', one])
  const reading = run('qemu-io', ['-r', ...commands, `json:${JSON.stringify(node)}`])
  while (seen.open === 0) await new Promise((resolve) => setImmediate(resolve))
  await restart()
  const { stdout } = await reading
  assert.equal(stdout.match(/read 65536\/65536 bytes/g)?.length, 2)
})

const handshake = Buffer.from([0, 0, 0, 3])
function option(number: number, data: Buffer, length = data.length): Buffer {
  const head = Buffer.alloc(16)
  head.write('IHAVEOPT', 'latin1')
  head.writeUInt32BE(number, 8)
  head.writeUInt32BE(length, 12)
  return Buffer.concat([head, data])
}
function request(command: number, offset: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(28)
  bytes.writeUInt32BE(0x25609513)
  bytes.writeUInt16BE(command, 6)
  bytes.writeBigUInt64BE(offset, 16)
  bytes.writeUInt32BE(length, 24)
  return bytes
}
const chosen = Buffer.concat([handshake, option(1, Buffer.from('disk'))])
const negotiatedBytes = 18 + 10

async function talk(path: string, ...bytes: readonly Uint8Array[]): Promise<Socket> {
  const socket = connect({ path })
  socket.on('error', () => {})
  await once(socket, 'connect')
  for (const one of bytes) socket.write(one)
  return socket
}

async function ended(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  if (!socket.closed) await once(socket, 'close')
  return Buffer.concat(chunks)
}

test('a client that breaks the protocol is left, and others are served', async (context) => {
  const { path, seen, errors } = await start(context)
  const wrongs: readonly (readonly Buffer[])[] = [
    [randomBytes(64)],
    [Buffer.from([0, 0, 0, 255])],
    [handshake, randomBytes(64)],
    [handshake, option(7, Buffer.alloc(0), 2 ** 32 - 1)],
    [handshake, option(2, Buffer.alloc(0))],
    [handshake, option(1, Buffer.from('none'))],
    [handshake, ...Array.from({ length: 100 }, () => option(77, randomBytes(9)))],
    [chosen, randomBytes(28)],
    // To write, and to disconnect.
    [chosen, request(1, 0n, 512), randomBytes(512)],
    [chosen, request(2, 0n, 0)],
  ]
  for (const bytes of wrongs) await ended(await talk(path, ...bytes))
  // A wish for an export whose name is longer than the wish.
  const long = option(7, Buffer.from([0, 0, 1, 0, 65, 0, 0]))
  const cut = await talk(path, handshake, long, option(2, Buffer.alloc(0)))
  assert.match((await ended(cut)).toString('hex'), /80000003/)
  for (let count = 0; count < 200; count++) {
    const half = await talk(path, chosen.subarray(0, count % chosen.length))
    half.destroy()
  }
  assert.deepEqual(errors, [])
  assert.equal(seen.open, 0)
  await run('qemu-img', ['info', uri(path, 'disk')])
})

test('what lies outside of the disk, or is too much, is refused by its handle', async (context) => {
  const { path } = await start(context)
  const wrongs: readonly (readonly [number, bigint, number])[] = [
    [0, BigInt(sizeBytes), 1],
    [0, 2n ** 64n - 1n, 512],
    [0, 0n, 2 ** 32 - 1],
    [0, 0n, 3 * MiB],
    [4, 0n, 512],
    [999, 0n, 0],
  ]
  const socket = await talk(path, chosen, ...wrongs.map((wrong) => request(...wrong)))
  socket.write(request(0, 0n, 0))
  socket.write(request(2, 0n, 0))
  const answer = (await ended(socket)).subarray(negotiatedBytes)
  assert.equal(answer.length, (wrongs.length + 1) * 16)
  const codes = wrongs.map((_wrong, index) => answer.readUInt32BE(index * 16 + 4))
  assert.deepEqual(codes, [22, 22, 22, 22, 1, 1])
})

test('a client that asks and does not listen takes a bounded share', async (context) => {
  const { path, seen } = await start(context)
  const socket = await talk(path, chosen)
  socket.pause()
  for (let count = 0; count < 2000; count++) socket.write(request(0, 0n, MiB))
  await run('qemu-io', ['-r', '-f', 'raw', '-c', 'read 0 1M', uri(path, 'disk')])
  // Of one MiB each; and one of the other client.
  assert(seen.readingMost <= 5, String(seen.readingMost))
  socket.destroy()
})

test('what fails for another reason than its content ends the connection without an answer', async (context) => {
  const { path, seen, errors } = await start(context)
  seen.breaks = true
  const answer = await ended(await talk(path, chosen, request(0, 0n, 512)))
  assert.equal(answer.length, negotiatedBytes)
  assert.match(String(errors), /the disk of the host is broken/)
  assert.equal(seen.open, 0)
})
