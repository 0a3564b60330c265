/**
 * The shapes of a service, read from its schema file one structure at a time,
 * when it is first asked for: of thousands, a server uses few.
 */
import assert from 'node:assert/strict'

/** What `tools/generate-schemas.ts` writes. Operations and structures are texts, read when used. */
export interface SchemaFile {
  readonly service: string
  readonly protocol: string
  readonly version: string
  readonly namespace: string
  /** `DescribeImages`: the names of input and output, `-` where there is none. */
  readonly operations: Readonly<Record<string, string>>
  /** `Image`: members, by commas: `Name<flags> type [replyName [requestName]]`. */
  readonly structures: Readonly<Record<string, string>>
}

const scalarKinds = ['string', 'boolean', 'integer', 'decimal', 'timestamp', 'blob'] as const

export type ScalarKind = (typeof scalarKinds)[number]

export type Shape =
  | { readonly kind: ScalarKind }
  | { readonly kind: 'list'; readonly item: Shape; readonly itemName: string }
  | { readonly kind: 'structure'; readonly name: string }

export interface Member {
  readonly name: string
  readonly requestName: string
  readonly replyName: string
  readonly shape: Shape
  readonly isRequired: boolean
  readonly isIdempotencyToken: boolean
  readonly isSensitive: boolean
  /** Elsewhere an empty value is the same as none. */
  readonly isMeantWhenEmpty: boolean
}

export interface Structure {
  readonly name: string
  readonly members: readonly Member[]
  readonly byRequestName: ReadonlyMap<string, Member>
}

export type Protocol = 'ec2Query' | 'awsQuery'

export class Model {
  readonly service: string
  readonly protocol: Protocol
  readonly version: string
  readonly namespace: string
  readonly #operations: ReadonlyMap<string, string>
  readonly #texts: ReadonlyMap<string, string>
  readonly #structures = new Map<string, Structure>()

  constructor(file: SchemaFile) {
    assert(file.protocol === 'ec2Query' || file.protocol === 'awsQuery')
    this.service = file.service
    this.protocol = file.protocol
    this.version = file.version
    this.namespace = file.namespace
    this.#operations = new Map(Object.entries(file.operations))
    this.#texts = new Map(Object.entries(file.structures))
  }

  get actions(): readonly string[] {
    return [...this.#operations.keys()]
  }

  has(action: string): boolean {
    return this.#operations.has(action)
  }

  /** The structure that an action reads; nothing for one that takes no parameters. */
  input(action: string): Structure | undefined {
    return this.#side(action, 0)
  }

  /** The structure that an action answers with; nothing for one that only says that it is done. */
  output(action: string): Structure | undefined {
    return this.#side(action, 1)
  }

  structure(name: string): Structure {
    const known = this.#structures.get(name)
    if (known) return known
    const text = this.#texts.get(name)
    assert(text !== undefined, `no such structure: ${name}`)
    const members =
      text === '' ? [] : text.split(',').map((member) => parseMember(this.protocol, member))
    const byRequestName = new Map(members.map((member) => [member.requestName, member]))
    assert.equal(byRequestName.size, members.length)
    const structure = { name, members, byRequestName }
    this.#structures.set(name, structure)
    return structure
  }

  #side(action: string, side: 0 | 1): Structure | undefined {
    const text = this.#operations.get(action)
    assert(text !== undefined, `no such action: ${action}`)
    const name = text.split(' ')[side] ?? '-'
    return name === '-' ? undefined : this.structure(name)
  }
}

function parseMember(protocol: Protocol, text: string): Member {
  const [head = '', type = '', replyText, requestText] = text.split(' ')
  const match = /^(\w+)([!~*=]*)$/.exec(head)
  assert(match, `not a member: ${text}`)
  const [, name = '', flags = ''] = match
  const replyName = replyText ?? name
  // Requests of ec2Query are capitalised, whatever the replies are.
  const usualRequestName =
    protocol === 'ec2Query' ? replyName.charAt(0).toUpperCase() + replyName.slice(1) : replyName
  return {
    name,
    replyName,
    requestName: requestText ?? usualRequestName,
    shape: parseShape(type),
    isRequired: flags.includes('!'),
    isIdempotencyToken: flags.includes('~'),
    isSensitive: flags.includes('*'),
    isMeantWhenEmpty: flags.includes('='),
  }
}

/** `string`, `Image`, `Image[item]`, `string[item][item]`. */
function parseShape(text: string): Shape {
  const match = /^(.+)\[([^[\]]+)\]$/.exec(text)
  if (match) {
    const [, item = '', itemName = ''] = match
    return { kind: 'list', item: parseShape(item), itemName }
  }
  const scalar = scalarKinds.find((kind) => kind === text)
  return scalar ? { kind: scalar } : { kind: 'structure', name: text }
}
