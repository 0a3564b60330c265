/** Clients that mean no good, over plain sockets: slow ones, and those that send what no client sends. */
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

export interface Place {
  readonly host: string
  readonly port: number
}

const head = 'POST / HTTP/1.1\r\nHost: imago\r\nContent-Type: application/x-www-form-urlencoded\r\n'

/** What a slow client says first, and what again and again. */
const habits: readonly { readonly first: string; readonly again: string }[] = [
  { first: '', again: '' },
  { first: 'POST / HT', again: '' },
  { first: head, again: 'X-A: b\r\n' },
  { first: `${head}Content-Length: 100000\r\n\r\n`, again: 'a' },
  { first: `${head}Transfer-Encoding: chunked\r\n\r\n`, again: '1\r\na\r\n' },
]
const againMs = 1000
/** One that is cut off comes back after this time. */
const backMs = 3000

/** That many slow clients, who come back whenever they are cut off, until they are disposed of. */
export class SlowClients implements Disposable {
  readonly #place: Place
  readonly #open = new Set<Socket>()
  #isOver = false
  /** How often one had to come back. */
  returns = 0

  constructor(place: Place, count: number) {
    this.#place = place
    for (let index = 0; index < count; index++) this.#come(index)
  }

  get openCount(): number {
    return this.#open.size
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    for (const socket of this.#open) socket.destroy()
  }

  #come(index: number): void {
    const habit = habits[index % habits.length]
    if (this.#isOver || !habit) return
    const socket = connect(this.#place)
    const timer = setInterval(() => socket.write(habit.again), againMs)
    socket.on('connect', () => {
      this.#open.add(socket)
      socket.write(habit.first)
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(timer)
      this.#open.delete(socket)
      if (this.#isOver) return
      this.returns++
      setTimeout(() => this.#come(index), backMs)
    })
    socket.resume()
  }
}

const answerMs = 1000

/** Sends the bytes and answers the statuses that come back; those of a connection that is cut are all there were. */
export async function exchange(place: Place, bytes: Buffer): Promise<readonly number[]> {
  const socket = connect(place)
  let text = ''
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part
    // It may keep the connection; what comes after the answer is not waited for.
    if (text.includes('\r\n\r\n')) void wait(5).then(() => resolve())
  })
  socket.on('error', () => {})
  socket.on('close', () => resolve())
  socket.write(bytes)
  const timer = setTimeout(resolve, answerMs)
  await promise
  clearTimeout(timer)
  socket.destroy()
  return [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status))
}

/** Requests that are wrong in a way that has been somebody's undoing. */
export function malformedRequests(): readonly (readonly [string, Buffer])[] {
  const body = 'Action=DescribeRegions&Version=2016-11-15'
  const whole = `${head}Content-Length: ${body.length}\r\n\r\n${body}`
  const request = (...lines: readonly string[]) =>
    `${[head.trimEnd(), ...lines].join('\r\n')}\r\n\r\n`
  const texts: Readonly<Record<string, string>> = {
    'nothing but line ends': '\r\n'.repeat(5000),
    'no request at all': '\0\x01\x02 \xff\xfe'.repeat(1000),
    'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(517, '\0'),
    'HTTP/1.0': whole.replace('HTTP/1.1', 'HTTP/1.0'),
    'HTTP/0.9': 'GET /\r\n',
    'HTTP/2 without asking': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'no host': whole.replace('Host: imago\r\n', ''),
    'two hosts': whole.replace('Host: imago\r\n', 'Host: imago\r\nHost: other\r\n'),
    'two lengths': request('Content-Length: 3', 'Content-Length: 30') + body,
    'a length and chunks':
      request('Content-Length: 3', 'Transfer-Encoding: chunked') + '0\r\n\r\nX',
    'chunks under another name': request('Transfer-Encoding: xchunked') + '0\r\n\r\n',
    'chunks named twice': request('Transfer-Encoding: chunked, chunked') + '0\r\n\r\n',
    'a negative length': request('Content-Length: -1'),
    'a length that is no number': request('Content-Length: 0x10') + body,
    'a length of 10^30': request(`Content-Length: 1${'0'.repeat(30)}`) + body,
    'too long by its length': request('Content-Length: 2000000'),
    'too long in chunks': `${request('Transfer-Encoding: chunked')}1e8480\r\n${'a'.repeat(2_000_000)}`,
    'a chunk without an end': `${request('Transfer-Encoding: chunked')}ffffffffffffffff\r\na`,
    'extensions of chunks': `${request('Transfer-Encoding: chunked')}1;${'a'.repeat(60_000)}\r\n`,
    'a header of 100 KB': request(`X-A: ${'a'.repeat(100_000)}`),
    '20,000 headers': request(...Array.from({ length: 20_000 }, () => 'A:b')),
    'a header over two lines': request('X-A: b', ' c'),
    'a NUL in a header': request('X-A: a\0b'),
    'a line end alone in a header': request('X-A: a\nContent-Length: 3'),
    'a NUL in the path': whole.replace('POST /', 'POST /\0'),
    'percent signs that mean nothing': whole.replace('POST /', 'POST /%zz%?a=%&b=%f'),
    'a path of 30 KB': whole.replace('POST /', `POST /${'a/'.repeat(15_000)}`),
    'a path that goes up': whole.replace('POST /', 'POST /../../../etc/passwd'),
    'an address in the path': whole.replace('POST /', 'POST http://169.254.169.254/latest'),
    CONNECT: 'CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: a\r\n\r\n',
    'an upgrade': request('Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 0'),
    'an expectation': request('Expect: 100-continue', 'Content-Length: 10'),
    'another expectation': request('Expect: miracles', 'Content-Length: 10'),
    'a method that nobody knows': whole.replace('POST', 'BREW'),
    TRACE: whole.replace('POST', 'TRACE'),
    'a packed body': request('Content-Encoding: gzip', 'Content-Length: 3') + '\x1f\x8b\x08',
    'a form that is not one': whole.replace(body, '%'.repeat(body.length)),
    '500 requests in one write': whole.repeat(500),
  }
  return Object.entries(texts).map(([name, text]) => [name, Buffer.from(text, 'latin1')])
}
