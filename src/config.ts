/**
 * What an installation is told: from the environment, or from one file of
 * `NAME=value` lines that `IMAGO_CONFIG` names. The environment wins. Read once;
 * a key that nobody knows and a value that cannot be are refused by name.
 */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { messageOf } from './lib/message-of.ts'
import { Secret } from './lib/secret.ts'
import { type OutboundRules, parseOutboundRules } from './outbound/rules.ts'

export interface Config {
  /** The data folder: everything that Imago keeps. */
  readonly dataFolder: string
  readonly listen: { readonly host: string; readonly port: number }
  /** The first one is where a fresh installation begins. */
  readonly regions: readonly string[]
  readonly accountId: string
  /** The administrator's key; made up at the first start where not given. */
  readonly rootKey: { readonly id: string; readonly secret: Secret } | undefined
  readonly accelerator: 'auto' | 'kvm' | 'tcg'
  /** Prints the master key, which is otherwise a file of the data folder. */
  readonly masterKeyCommand: string | undefined
  /** A file with what EC2 compresses `UefiData` with; without one, such data cannot be read. */
  readonly uefiDictionaryFile: string | undefined
  /** The certificate and key of the API; where not given and needed, one of our own. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined
  /** How often one key may call; for a moment twice as often. */
  readonly callsPerSecond: number
  /** How much of each account's audit trail is kept. */
  readonly auditRetention: { readonly days: number; readonly eventsMax: number }
  /** How much of each account's events is kept. */
  readonly eventRetention: { readonly days: number; readonly eventsMax: number }
  /** How long it is known which image a machine was started from, once the machine is gone. */
  readonly launchDays: number
  /** How far apart snapshots of one volume are to be asked for while one is under way. */
  readonly snapshotsApartMs: number
  /** What the service may call for those who ask it to: for imports and webhooks. */
  readonly outbound: OutboundRules
  /** The longest file that an import fetches. */
  readonly importBytesMax: number
}

/** How many files and connections the process may have open at a time. */
export function openFilesMax(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const [, most] = /^Max open files\s+(\d+)/m.exec(limits) ?? []
  return most === undefined ? Infinity : Number(most)
}

type Environment = Readonly<Record<string, string | undefined>>

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const known = [
  'IMAGO_ACCEL',
  'IMAGO_ACCOUNT_ID',
  'IMAGO_AUDIT_DAYS',
  'IMAGO_AUDIT_EVENTS',
  'IMAGO_CALLS_PER_SECOND',
  'IMAGO_CONFIG',
  'IMAGO_DATA',
  // These two are for the recipes, which read them from the environment.
  'IMAGO_DEBIAN_MIRROR',
  'IMAGO_DEBIAN_SECURITY_MIRROR',
  'IMAGO_EVENTS',
  'IMAGO_EVENT_DAYS',
  'IMAGO_IMPORT_GIB',
  'IMAGO_LAUNCH_DAYS',
  'IMAGO_LISTEN',
  'IMAGO_MASTER_KEY_COMMAND',
  'IMAGO_OUTBOUND_HOSTS',
  'IMAGO_REGIONS',
  'IMAGO_ROOT_ACCESS_KEY_ID',
  'IMAGO_ROOT_SECRET_ACCESS_KEY',
  'IMAGO_SNAPSHOT_SECONDS',
  'IMAGO_TLS_CERTIFICATE',
  'IMAGO_TLS_KEY',
  'IMAGO_UEFI_DICTIONARY',
] as const

type Key = (typeof known)[number]

/** Reads the environment and the file. Throws `ConfigError`, which names the key. */
export function readConfig(environment: Environment): Config {
  const file = environment['IMAGO_CONFIG']
  const settings = { ...(file ? readFile(file) : {}), ...ours(environment) }
  for (const key of Object.keys(settings)) {
    if ((known as readonly string[]).includes(key)) continue
    throw new ConfigError(`Cannot use ${key} as there is no such setting: ${known.join(', ')}`)
  }
  const value = (key: Key): string | undefined => settings[key] || undefined
  return {
    dataFolder: parseFolder(value('IMAGO_DATA')),
    listen: parseListen(value('IMAGO_LISTEN') ?? '127.0.0.1:4780'),
    regions: parseRegions(value('IMAGO_REGIONS') ?? 'us-east-1,us-west-2,eu-west-1'),
    accountId: parseAccountId(value('IMAGO_ACCOUNT_ID') ?? '123456789012'),
    rootKey: parseRootKey(value('IMAGO_ROOT_ACCESS_KEY_ID'), value('IMAGO_ROOT_SECRET_ACCESS_KEY')),
    accelerator: parseAccelerator(value('IMAGO_ACCEL') ?? 'auto'),
    masterKeyCommand: value('IMAGO_MASTER_KEY_COMMAND'),
    uefiDictionaryFile: value('IMAGO_UEFI_DICTIONARY'),
    tls: parseTls(value('IMAGO_TLS_CERTIFICATE'), value('IMAGO_TLS_KEY')),
    callsPerSecond: parseCount('IMAGO_CALLS_PER_SECOND', value('IMAGO_CALLS_PER_SECOND') ?? '5000'),
    auditRetention: {
      days: parseCount('IMAGO_AUDIT_DAYS', value('IMAGO_AUDIT_DAYS') ?? '90'),
      eventsMax: parseCount('IMAGO_AUDIT_EVENTS', value('IMAGO_AUDIT_EVENTS') ?? '1000000'),
    },
    eventRetention: {
      days: parseCount('IMAGO_EVENT_DAYS', value('IMAGO_EVENT_DAYS') ?? '7'),
      eventsMax: parseCount('IMAGO_EVENTS', value('IMAGO_EVENTS') ?? '100000'),
    },
    launchDays: parseCount('IMAGO_LAUNCH_DAYS', value('IMAGO_LAUNCH_DAYS') ?? '1095'),
    snapshotsApartMs: parseSeconds(value('IMAGO_SNAPSHOT_SECONDS') ?? '0') * 1000,
    outbound: parseOutbound(value('IMAGO_OUTBOUND_HOSTS') ?? 'public'),
    importBytesMax:
      parseCount('IMAGO_IMPORT_GIB', value('IMAGO_IMPORT_GIB') ?? '100') * bytesPerGiB,
  }
}

function ours(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([key]) => key.startsWith('IMAGO_')))
}

function readFile(path: string): Environment {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    const why = messageOf(error)
    throw new ConfigError(`Cannot read the file that IMAGO_CONFIG names: ${why}`)
  }
}

function refuse(key: Key, rule: string, value: string): ConfigError {
  return new ConfigError(`Cannot use ${key} as it must be ${rule}: ${value}`)
}

function parseFolder(text: string | undefined): string {
  if (!text) return join(homedir(), '.local', 'share', 'imago')
  const expanded = text.replace(/^~(?=\/|$)/, homedir())
  return isAbsolute(expanded) ? expanded : resolve(expanded)
}

function parseListen(text: string): Config['listen'] {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:\s]+)):(\d{1,5})$/i.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (!host || !(port >= 0 && port <= 65535)) {
    throw refuse('IMAGO_LISTEN', 'an address and a port such as 127.0.0.1:4780', text)
  }
  return { host, port }
}

function parseRegions(text: string): readonly string[] {
  const regions = text.split(',').map((region) => region.trim())
  const areRegions = regions.every((region) => /^[a-z]{2}(?:-[a-z]+)+-\d{1,2}$/.test(region))
  if (!areRegions || new Set(regions).size < regions.length) {
    throw refuse('IMAGO_REGIONS', 'names such as us-east-1 with commas between, each once', text)
  }
  return regions
}

function parseAccountId(text: string): string {
  if (!/^\d{12}$/.test(text)) throw refuse('IMAGO_ACCOUNT_ID', '12 digits', text)
  return text
}

function parseRootKey(id: string | undefined, secret: string | undefined): Config['rootKey'] {
  if (!id && !secret) return undefined
  if (!id) throw new ConfigError('IMAGO_ROOT_SECRET_ACCESS_KEY needs IMAGO_ROOT_ACCESS_KEY_ID too')
  if (!secret) {
    throw new ConfigError('IMAGO_ROOT_ACCESS_KEY_ID needs IMAGO_ROOT_SECRET_ACCESS_KEY too')
  }
  if (!/^\w{3,128}$/.test(id)) {
    throw refuse('IMAGO_ROOT_ACCESS_KEY_ID', '3 to 128 letters, digits or _', id)
  }
  if (!/^[\x21-\x7e]{3,128}$/.test(secret)) {
    throw refuse('IMAGO_ROOT_SECRET_ACCESS_KEY', '3 to 128 visible characters', '[secret]')
  }
  return { id, secret: new Secret(secret) }
}

function parseCount(key: Key, text: string): number {
  if (!/^[1-9]\d{0,11}$/.test(text)) throw refuse(key, 'a number from 1', text)
  return Number(text)
}

function parseSeconds(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw refuse('IMAGO_SNAPSHOT_SECONDS', 'a number from 0', text)
  return Number(text)
}

const bytesPerGiB = 2 ** 30

function parseOutbound(text: string): OutboundRules {
  const rules = parseOutboundRules(text)
  if (!('bad' in rules)) return rules
  const rule = 'public, none, or hosts and networks such as 10.0.0.0/8 with commas between'
  throw refuse('IMAGO_OUTBOUND_HOSTS', rule, text)
}

function parseTls(certificate: string | undefined, key: string | undefined): Config['tls'] {
  if (!certificate && !key) return undefined
  if (!certificate) throw new ConfigError('IMAGO_TLS_KEY needs IMAGO_TLS_CERTIFICATE too')
  if (!key) throw new ConfigError('IMAGO_TLS_CERTIFICATE needs IMAGO_TLS_KEY too')
  return { certificate: resolve(certificate), key: resolve(key) }
}

function parseAccelerator(text: string): Config['accelerator'] {
  if (text === 'auto' || text === 'kvm' || text === 'tcg') return text
  throw refuse('IMAGO_ACCEL', 'auto, kvm or tcg', text)
}
