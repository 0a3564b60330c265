/**
 * A client that costs little: it signs each call for real (Signature Version 4),
 * keeps its connections, reads every answer to its end, and parses nothing. Both
 * sides of a comparison are called by it.
 */
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { Agent, request } from 'node:http'

export interface Server {
  readonly endpoint: string
  readonly keyId: string
  readonly secret: string
  readonly region: string
}

export interface Answer {
  readonly status: number
  readonly text: string
}

type Parameters = Readonly<Record<string, string | number | boolean>>

export class SignedClient {
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true })
  readonly #host: string
  /** The key of a day and a service, which is the same for each call. */
  readonly #signingKeys = new Map<string, Buffer>()

  constructor(server: Server) {
    this.#server = server
    this.#host = new URL(server.endpoint).host
  }

  /** The same caller in another Region, with connections of its own. */
  inRegion(region: string): SignedClient {
    return new SignedClient({ ...this.#server, region })
  }

  /** Calls EC2; anything but 200 throws. */
  async ec2(action: string, parameters: Parameters = {}): Promise<string> {
    const form = new URLSearchParams({ Action: action, Version: '2016-11-15' })
    for (const [name, value] of Object.entries(parameters)) form.append(name, String(value))
    const { status, text } = await this.call({
      service: 'ec2',
      method: 'POST',
      path: '/',
      type: 'application/x-www-form-urlencoded',
      body: form.toString(),
    })
    assert.equal(status, 200, `${action}: ${text.slice(0, 1000)}`)
    return text
  }

  async call(options: {
    readonly service: string
    readonly method: 'GET' | 'POST'
    readonly path: string
    readonly type: string
    readonly body: string
  }): Promise<Answer> {
    const { method, path, type, body, service } = options
    const at = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
    const headers = { 'content-type': type, host: this.#host, 'x-amz-date': at }
    const names = Object.keys(headers).join(';')
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`)
    const canonical = [method, path, '', lines.join(''), names, sha256(body)].join('\n')
    const scope = `${at.slice(0, 8)}/${this.#server.region}/${service}/aws4_request`
    const toSign = ['AWS4-HMAC-SHA256', at, scope, sha256(canonical)].join('\n')
    const signature = hmac(this.#signingKey(scope), toSign).toString('hex')
    const authorization =
      `AWS4-HMAC-SHA256 Credential=${this.#server.keyId}/${scope}, ` +
      `SignedHeaders=${names}, Signature=${signature}`
    return await this.#send(method, path, { ...headers, authorization }, body)
  }

  close(): void {
    this.#agent.destroy()
  }

  #signingKey(scope: string): Buffer {
    const known = this.#signingKeys.get(scope)
    if (known) return known
    const first = Buffer.from(`AWS4${this.#server.secret}`)
    const key = scope.split('/').reduce<Buffer>((chain, part) => hmac(chain, part), first)
    this.#signingKeys.set(scope, key)
    return key
  }

  #send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const options = { method, agent: this.#agent, headers: { ...headers } }
    const sent = request(`${this.#server.endpoint}${path}`, options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
    return promise
  }
}

/** The text of the first element of that name in an answer. */
export function elementOf(text: string, name: string): string {
  const value = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  assert(value !== undefined, `no ${name} in: ${text.slice(0, 1000)}`)
  return value
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
