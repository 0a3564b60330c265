/**
 * The certificate that the API shows where it listens beyond the loopback: the
 * operator's, by two files, or one that we sign ourselves and keep with the data.
 * Invariant: the key's file is its owner's alone, and is there whole or not at all.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'

export interface Certificate {
  readonly certificate: string
  readonly key: string
  /** `AB:CD:…`, the SHA-256 of the certificate, for people to compare. */
  readonly fingerprint: string
}

export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
}

/** It cannot be used; the message says why and what to do. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
}

/** What the API is to show; nothing on the loopback, unless the operator has given something. */
export async function openCertificate(
  {
    listen,
    tls,
  }: { readonly listen: { readonly host: string }; readonly tls: CertificateFiles | undefined },
  folder: string,
  now: Date,
): Promise<Certificate | undefined> {
  if (tls) return await readCertificate(tls, now)
  if (isLoopback(listen.host)) return undefined
  const addresses = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ address }) => !address.startsWith('fe80:'))
  const isAny = listen.host === '0.0.0.0' || listen.host === '::'
  const ours = isAny ? [hostname(), ...addresses.map(({ address }) => address)] : [listen.host]
  return await ensureCertificate(folder, {
    names: [...new Set(['localhost', '127.0.0.1', '::1', ...ours])],
    now,
  })
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)

const dayMs = 24 * 60 * 60 * 1000
const validDays = 825
const renewedBeforeDays = 30

export const certificateFileIn = (folder: string): string => join(folder, 'certificate.pem')

/** The operator's certificate. Throws `CertificateError`. */
export async function readCertificate(files: CertificateFiles, now: Date): Promise<Certificate> {
  const read = async (path: string) => {
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      throw new CertificateError(`Cannot read the file: ${path}`, { cause: error })
    }
  }
  const [certificate, key] = [await read(files.certificate), await read(files.key)]
  const parsed = parse(certificate, key)
  if (!parsed) {
    throw new CertificateError(
      `Cannot use the certificate as the key is not its own, or one of them is not PEM: ${files.certificate}`,
    )
  }
  if (parsed.validToDate < now) {
    throw new CertificateError(
      `Cannot use the certificate as it was valid until ${parsed.validToDate.toISOString()}: ${files.certificate}`,
    )
  }
  return { certificate, key, fingerprint: parsed.fingerprint256 }
}

/** Our own certificate for these names and addresses; a new one where there is none that will do. */
export async function ensureCertificate(
  folder: string,
  { names, now }: { readonly names: readonly string[]; readonly now: Date },
): Promise<Certificate> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'certificate-and-key.pem')
  const kept = await readFile(path, 'utf8').catch(() => '')
  const usable = parse(kept, kept)
  const renewedFrom = now.getTime() + renewedBeforeDays * dayMs
  if (usable && usable.validToDate.getTime() > renewedFrom && isFor(usable, names)) {
    await replaceFile(certificateFileIn(folder), usable.toString(), 0o644)
    return { certificate: usable.toString(), key: kept, fingerprint: usable.fingerprint256 }
  }
  const { certificate, key } = await sign(names, now)
  // One file has both, so that they are never two different ones'.
  await replaceFile(path, `${certificate}\n${key}\n`, 0o600)
  await replaceFile(certificateFileIn(folder), certificate, 0o644)
  return { certificate, key, fingerprint: new X509Certificate(certificate).fingerprint256 }
}

async function sign(names: readonly string[], now: Date) {
  const { generate } = await import('selfsigned')
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'Imago' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    // A clock that is somewhat behind ours takes it too.
    notBeforeDate: new Date(now.getTime() - dayMs),
    notAfterDate: new Date(now.getTime() + validDays * dayMs),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map((name) =>
          isIP(name) ? { type: 7 as const, ip: name } : { type: 2 as const, value: name },
        ),
      },
    ],
  })
  return { certificate: cert, key }
}

/** Nothing where it is no certificate, or the key is not its own. */
function parse(certificate: string, key: string): X509Certificate | undefined {
  try {
    const parsed = new X509Certificate(certificate)
    return parsed.checkPrivateKey(createPrivateKey(key)) ? parsed : undefined
  } catch {
    return undefined
  }
}

const isFor = (certificate: X509Certificate, names: readonly string[]): boolean =>
  names.every((name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)))

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.tmp`
  {
    await using file = await open(temporary, 'w', mode)
    await file.chmod(mode)
    await file.writeFile(text)
    await file.sync()
  }
  await rename(temporary, path)
}
