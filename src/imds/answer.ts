/**
 * The metadata service's way of a request, without its socket: versions 1 and 2,
 * as the instance's options say.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Database } from '../db/database.ts'
import { gatherFacts, type Guest } from './facts.ts'
import type { RoleCredentials } from './role-credentials.ts'
import type { Asking } from './role-of-instance.ts'
import { makeToken, secondsLeft, tokenSecondsMax } from './token.ts'
import { metadataTree, readTree } from './tree.ts'

export interface MetadataRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

export interface MetadataReply {
  readonly status: 200 | 400 | 401 | 403 | 404 | 405
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

const version = /^(?:latest|1\.0|\d{4}-\d{2}-\d{2})$/
const versions = ['1.0', '2009-04-04', '2016-09-02', '2018-09-24', '2021-03-23', 'latest']
const ttlHeader = 'x-aws-ec2-metadata-token-ttl-seconds'
const tokenHeader = 'x-aws-ec2-metadata-token'

export async function answerMetadata(
  request: MetadataRequest,
  guest: Guest,
  tools: {
    readonly db: Database
    readonly tokenKey: Uint8Array
    readonly credentials: RoleCredentials
    readonly now: Date
  },
): Promise<MetadataReply> {
  const { httpEndpoint, httpTokens } = guest.instance.metadataOptions
  if (httpEndpoint === 'disabled') return refuse(403)
  const [first = '', ...rest] = request.path.split('/').filter((part) => part !== '')
  const path = rest.join('/')
  const { tokenKey, credentials, now } = tools

  if (request.method === 'PUT') {
    if (first !== 'latest' || path !== 'api/token') return refuse(404)
    // A proxy that passes on requests of strangers says so in this header.
    if (request.headers['x-forwarded-for'] !== undefined) return refuse(403)
    const text = String(request.headers[ttlHeader] ?? '')
    const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0
    if (seconds < 1 || seconds > tokenSecondsMax) return refuse(400)
    return {
      status: 200,
      headers: { [ttlHeader]: String(seconds) },
      body: makeToken(tokenKey, guest.instance.id, now, seconds),
    }
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405)

  const token = request.headers[tokenHeader]
  let headers: Record<string, string> = {}
  if (token !== undefined) {
    const left = secondsLeft(tokenKey, guest.instance.id, now, String(token))
    if (left === 0) return refuse(401)
    headers = { [ttlHeader]: String(left) }
  } else if (httpTokens === 'required') {
    return refuse(401)
  }
  if (first === '') return { status: 200, headers, body: versions.join('\n') }
  if (!version.test(first)) return refuse(404)

  const delivery = token === undefined ? '1.0' : '2.0'
  const body = await read(path, guest, tools.db, { credentials, delivery, now })
  return body === undefined ? refuse(404) : { status: 200, headers, body }
}

async function read(
  path: string,
  guest: Guest,
  db: Database,
  asking: Asking,
): Promise<string | Uint8Array | undefined> {
  const { userData } = guest.instance
  if (path === 'user-data') {
    return userData === undefined ? undefined : Buffer.from(userData, 'base64')
  }
  const tree = metadataTree(await gatherFacts(db, guest, asking))
  if (path === '') return Object.keys({ ...tree, ...(userData && { 'user-data': '' }) }).join('\n')
  return readTree(tree, path)
}

const words = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
} as const

function refuse(status: keyof typeof words): MetadataReply {
  return { status, body: words[status] }
}
