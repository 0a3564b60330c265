/** Stands for the inside of a machine: a process in a network namespace of its own that does as told. */
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** What a guest can be told, and what it answers. */
export interface Orders {
  /** Runs a shell line; answers what it printed. */
  shell: { takes: { line: string }; answers: string }
  /** Asks for an address as `mac`; answers nothing if nobody offers one in time. */
  dhcp: { takes: { mac: string; timeoutMs: number }; answers: Lease | null }
  /** Answers each TCP connection with the address it comes from. */
  listen: { takes: { port: number }; answers: true }
  /** Connects, says the text, answers what it hears, or the code of the failure. */
  connect: { takes: Target; answers: string }
  resolve: { takes: { server: string; name: string }; answers: readonly string[] }
}

export interface Target {
  readonly host: string
  readonly port: number
  readonly text?: string
  readonly localAddress?: string
}

export interface Lease {
  readonly address: string
  readonly router: string
  readonly resolver: string
  readonly hostname: string
  readonly mtu: number
}

/** Longer than any answer takes that is let through. */
const patienceMs = 1_000

const follow: {
  [O in keyof Orders]: (takes: Orders[O]['takes']) => Promise<Orders[O]['answers']>
} = {
  shell: async ({ line }) => execFileSync('sh', ['-ec', line], { encoding: 'utf8' }),
  dhcp: async ({ mac, timeoutMs }) => {
    const socket = createSocket('udp4')
    socket.bind(68)
    await once(socket, 'listening')
    socket.setBroadcast(true)
    const ask = async (type: number, extra: readonly number[]): Promise<Buffer | undefined> => {
      socket.send(request(mac, type, extra), 67, '255.255.255.255')
      const heard = once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) })
      return heard.then(
        ([message]) => message as Buffer,
        () => undefined,
      )
    }
    const offer = await ask(1, [])
    const address = offer?.subarray(16, 20)
    const server = offer === undefined ? undefined : option(offer, 54)
    const answer =
      address === undefined || server === undefined
        ? undefined
        : await ask(3, [50, 4, ...address, 54, 4, ...server])
    socket.close()
    return answer === undefined || option(answer, 53)[0] !== 5 ? null : lease(answer)
  },
  listen: async ({ port }) => {
    const server = createServer((socket) => socket.end(socket.remoteAddress ?? ''))
    server.listen(port, '0.0.0.0')
    await once(server, 'listening')
    return true
  },
  connect: ({ host, port, text, localAddress }) =>
    new Promise((resolve) => {
      const from = localAddress === undefined ? {} : { localAddress }
      const socket = connect({ host, port, family: 4, ...from })
      let heard = ''
      socket.setTimeout(patienceMs, () => {
        socket.destroy()
        resolve('timeout')
      })
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
      socket.on('end', () => resolve(heard))
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
      if (text !== undefined) socket.write(text)
    }),
  resolve: async ({ server, name }) => {
    const resolver = new Resolver({ timeout: patienceMs, tries: 1 })
    resolver.setServers([server])
    return resolver.resolve4(name).catch((error: NodeJS.ErrnoException) => [error.code ?? ''])
  },
}

process.on('message', ({ id, order, takes }: { id: number; order: keyof Orders; takes: never }) => {
  follow[order](takes).then(
    (answers) => process.send?.({ id, answers }),
    (error: unknown) => process.send?.({ id, failed: String(error) }),
  )
})
process.once('disconnect', () => process.exit())
process.send?.('ready')

/** RFC 2131: a BOOTREQUEST that wants its answer by broadcast. */
function request(mac: string, type: number, extra: readonly number[]): Buffer {
  const message = Buffer.alloc(300)
  message.set([1, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0x80, 0])
  message.set(Buffer.from(mac.replaceAll(':', ''), 'hex'), 28)
  message.set([99, 130, 83, 99, 53, 1, type, ...extra, 55, 5, 1, 3, 6, 12, 26, 255], 236)
  return message
}

function option(message: Buffer, wanted: number): Buffer {
  for (let at = 240; message[at] !== 255 && at < message.length;) {
    if (message[at] === 0) at += 1
    else {
      const length = message[at + 1] ?? 0
      if (message[at] === wanted) return message.subarray(at + 2, at + 2 + length)
      at += 2 + length
    }
  }
  return Buffer.alloc(0)
}

function lease(message: Buffer): Lease {
  return {
    address: [...message.subarray(16, 20)].join('.'),
    router: [...option(message, 3)].join('.'),
    resolver: [...option(message, 6)].join('.'),
    hostname: option(message, 12).toString(),
    mtu: option(message, 26).readUInt16BE(),
  }
}
