/** Sends a request to the service, signed with Signature Version 4 as every client's is. */
import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { SignatureV4 } from '@smithy/signature-v4'
import { CommandFailed, messageOf } from './failure.ts'
import type { Access } from './installation.ts'
import { Sha256 } from './sha256.ts'

export interface Answer {
  readonly status: number
  readonly text: string
}

const timeoutMs = 60_000

/** Throws `CommandFailed` where nobody answers. */
export async function send(
  { endpoint, region, key, certificateFile }: Access,
  request: {
    readonly service: 'ec2' | 'sts' | 'imago' | 'organizations'
    readonly method: 'GET' | 'POST'
    readonly path: string
    readonly contentType: string
    readonly body: string
    /** The action, for services whose requests say it in a header. */
    readonly target?: string
  },
): Promise<Answer> {
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
      ...(target !== undefined && { 'x-amz-target': target }),
    },
    body,
  })
  try {
    if (certificateFile) trust(readFileSync(certificateFile, 'utf8'))
    const response = await fetch(url, {
      method,
      headers: signed.headers,
      ...(method === 'POST' && { body }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    return { status: response.status, text: await response.text() }
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
