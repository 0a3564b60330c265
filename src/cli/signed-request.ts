/** Sends a request to the service, signed with Signature Version 4 as every client's is. */
import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { SignatureV4 } from '@smithy/signature-v4'
import { messageOf } from '../lib/message-of.ts'
import { CommandFailed } from './failure.ts'
import type { Access } from './installation.ts'
import { Sha256 } from './sha256.ts'

export interface Answer {
  readonly status: number
  readonly text: string
}

const timeoutMs = 60_000

export interface SignedRequest {
  readonly service: 'ec2' | 'sts' | 'imago' | 'organizations'
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly contentType: string
  readonly body: string
  /** The action, for services whose requests say it in a header. */
  readonly target?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Throws `CommandFailed` where nobody answers. */
export async function send(access: Access, request: SignedRequest): Promise<Answer> {
  const response = await open(access, request, AbortSignal.timeout(timeoutMs))
  return { status: response.status, text: await response.text() }
}

/** The same, for an answer that does not end: it is the caller's to read. */
export async function open(
  { endpoint, region, key, certificateFile }: Access,
  request: SignedRequest,
  signal: AbortSignal,
): Promise<Response> {
  const { service, method, path, contentType, body, target } = request
  const url = new URL(path, endpoint)
  const signer = new SignatureV4({
    service,
    region,
    credentials: { accessKeyId: key.id, secretAccessKey: key.secret.reveal() },
    sha256: Sha256,
  })
  const signed = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    port: Number(url.port),
    path: url.pathname,
    query: {},
    headers: {
      host: url.host,
      'content-type': contentType,
      ...request.headers,
      ...(target !== undefined && { 'x-amz-target': target }),
    },
    body,
  })
  try {
    if (certificateFile) trust(readFileSync(certificateFile, 'utf8'))
    return await fetch(url, {
      method,
      headers: signed.headers,
      ...(method === 'POST' && { body }),
      signal,
    })
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    throw new CommandFailed(
      `Cannot reach the service, so start it with "imago serve": ${endpoint}: ${messageOf(cause)}`,
      { cause: error },
    )
  }
}

/** From now on, who shows this certificate is known too. */
function trust(certificate: string): void {
  const trusted = getCACertificates('default')
  if (!trusted.includes(certificate)) setDefaultCACertificates([...trusted, certificate])
}
