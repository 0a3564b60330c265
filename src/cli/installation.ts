/**
 * The installation that a command is about: its data folder, and the three files
 * there that say how to call it. They are in the AWS tools' own formats, so that
 * these can be pointed at them. The secret is in one of them, which is its
 * owner's alone, and is printed nowhere.
 */
import { readFileSync } from 'node:fs'
import { chmod, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Config, readConfig } from '../config.ts'
import { Secret } from '../lib/secret.ts'
import { certificateFileIn } from '../tls/certificate.ts'
import { CommandFailed, hasCode } from './failure.ts'
import type { Shell } from './shell.ts'

export interface Access {
  readonly endpoint: string
  readonly region: string
  readonly key: { readonly id: string; readonly secret: Secret }
  /** What vouches for the service where it speaks TLS. */
  readonly certificateFile?: string | undefined
}

export interface Installation {
  readonly config: Config
  readonly access: Access
}

export function credentialsFile(dataFolder: string): string {
  return join(dataFolder, 'credentials')
}

function endpointFile(dataFolder: string): string {
  return join(dataFolder, 'endpoint')
}

/** Notes how the service that has just started is called. */
export async function noteAccess(
  dataFolder: string,
  { endpoint, key }: Pick<Access, 'endpoint' | 'key'>,
): Promise<void> {
  const credentials = [
    '[default]',
    `aws_access_key_id = ${key.id}`,
    `aws_secret_access_key = ${key.secret.reveal()}`,
    '',
  ].join('\n')
  await replaceFile(credentialsFile(dataFolder), credentials)
  await replaceFile(endpointFile(dataFolder), `${endpoint}\n`)
}

/** Throws where no service was ever started with this data folder. */
export function readInstallation(shell: Shell): Installation {
  const config = readConfig(shell.environment)
  const { dataFolder } = config
  const credentials = readNote(credentialsFile(dataFolder), dataFolder)
  const endpoint = readNote(endpointFile(dataFolder), dataFolder).trim()
  const value = (name: string): string => {
    const found = new RegExp(`^${name} = (.+)$`, 'm').exec(credentials)?.[1]
    if (!found) throw new CommandFailed(`Cannot find ${name} in ${credentialsFile(dataFolder)}`)
    return found
  }
  const key = {
    id: value('aws_access_key_id'),
    secret: new Secret(value('aws_secret_access_key')),
  }
  const certificateFile = endpoint.startsWith('https:')
    ? (config.tls?.certificate ?? certificateFileIn(join(dataFolder, 'tls')))
    : undefined
  const region = chooseRegion(config, shell)
  return { config, access: { endpoint, region, key, certificateFile } }
}

/** The shell's own Region where the installation has it, else the first one. */
function chooseRegion({ regions }: Config, { environment }: Shell): string {
  const wanted = environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'] ?? ''
  return regions.includes(wanted) ? wanted : (regions[0] ?? '')
}

function readNote(path: string, dataFolder: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      throw new CommandFailed(`Start the service first with "imago serve": ${dataFolder} has none`)
    }
    throw error
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text, { mode: 0o600 })
  await chmod(`${path}.tmp`, 0o600)
  await rename(`${path}.tmp`, path)
}
