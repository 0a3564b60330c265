/** Resource ids: a prefix that names the kind, then 17 hexadecimal digits. */

const prefixes = {
  'declarative-policies-report': 'dpr',
  image: 'ami',
  'image-usage-report': 'amiur',
  'import-image-task': 'import-ami',
  'import-snapshot-task': 'import-snap',
  instance: 'i',
  'instance-profile-association': 'iip-assoc',
  'internet-gateway': 'igw',
  'key-pair': 'key',
  'network-interface': 'eni',
  'network-interface-attachment': 'eni-attach',
  'replace-root-volume-task': 'replacevol',
  reservation: 'r',
  'security-group': 'sg',
  'security-group-rule': 'sgr',
  snapshot: 'snap',
  subnet: 'subnet',
  volume: 'vol',
  vpc: 'vpc',
} as const

export type Kind = keyof typeof prefixes

/** `Id<'snapshot'>` is `snap-${string}`, so an id of another kind does not compile. */
export type Id<K extends Kind> = `${(typeof prefixes)[K]}-${string}`

export const idPrefix = <K extends Kind>(kind: K): (typeof prefixes)[K] => prefixes[kind]

/** Makes an id out of 9 random bytes, of which the last digit is dropped. */
export function formatId<K extends Kind>(kind: K, random: Uint8Array): Id<K> {
  return `${prefixes[kind]}-${Buffer.from(random).toString('hex').slice(0, 17)}` as Id<K>
}

export function isId<K extends Kind>(kind: K, text: string): text is Id<K> {
  const prefix = prefixes[kind]
  // AWS still accepts the ids of 8 digits that it gave out before 2016.
  return (
    text.startsWith(`${prefix}-`) &&
    /^(?:[0-9a-f]{8}|[0-9a-f]{17})$/.test(text.slice(prefix.length + 1))
  )
}

/** The kind that an id is of, or nothing where it has the form of none. */
export function kindOf(text: string): Kind | undefined {
  return (Object.keys(prefixes) as Kind[]).find((kind) => isId(kind, text))
}
