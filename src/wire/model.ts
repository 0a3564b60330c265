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
  /**
   * `DescribeImages`: the names of input and output, `-` where there is none. For
   * restJson1 also how it is asked for: method, path and the status of its answer.
   */
  readonly operations: Readonly<Record<string, string>>
  /**
   * `Image`: members, by commas: `Name<flags> type [replyName [requestName]]`. A
   * request name such as `label:Name` says that it is not in the body.
   */
  readonly structures: Readonly<Record<string, string>>
}

const scalarKinds = ['string', 'boolean', 'integer', 'decimal', 'timestamp', 'blob'] as const

export type ScalarKind = (typeof scalarKinds)[number]

export type Shape =
  | { readonly kind: ScalarKind }
  | { readonly kind: 'list'; readonly item: Shape; readonly itemName: string }
  | { readonly kind: 'map'; readonly value: Shape }
  | { readonly kind: 'structure'; readonly name: string }

const locations = ['label', 'query', 'header', 'payload'] as const

/** Where in a request or an answer of restJson1 a member is. `payload`: it is the whole body. */
export type Location = 'body' | (typeof locations)[number]

export interface Member {
  readonly name: string
  readonly requestName: string
  readonly replyName: string
  readonly location: Location
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

const protocols = ['ec2Query', 'awsQuery', 'awsJson1.1', 'restJson1'] as const

export type Protocol = (typeof protocols)[number]

/** How an operation of restJson1 is asked for. */
export interface Route {
  readonly action: string
  readonly method: string
  /** `/rules/{Identifier}/lock` */
  readonly path: string
  /** The status of its answer. */
  readonly status: number
}

export class Model {
  readonly service: string
  readonly protocol: Protocol
  readonly version: string
  readonly namespace: string
  readonly #operations: ReadonlyMap<string, string>
  readonly #texts: ReadonlyMap<string, string>
  readonly #structures = new Map<string, Structure>()

  constructor(file: SchemaFile) {
    const protocol = protocols.find((known) => known === file.protocol)
    assert(protocol, `no such protocol: ${file.protocol}`)
    this.service = file.service
    this.protocol = protocol
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

  /** How the operations are asked for, where the path says which is meant. */
  routes(): readonly Route[] {
    return [...this.#operations].map(([action, text]) => {
      const [, , method = '', path = '', status = ''] = text.split(' ')
      return { action, method, path, status: Number(status) }
    })
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
  const [, where, placedName] = /^(label|query|header|payload):(.+)$/.exec(requestText ?? '') ?? []
  return {
    name,
    replyName,
    requestName: placedName ?? requestText ?? usualRequestName,
    location: locations.find((known) => known === where) ?? 'body',
    shape: parseShape(type),
    isRequired: flags.includes('!'),
    isIdempotencyToken: flags.includes('~'),
    isSensitive: flags.includes('*'),
    isMeantWhenEmpty: flags.includes('='),
  }
}

/** `string`, `Image`, `Image[item]`, `string[item][item]`, `string{}`. */
function parseShape(text: string): Shape {
  if (text.endsWith('{}')) return { kind: 'map', value: parseShape(text.slice(0, -2)) }
  const match = /^(.+)\[([^[\]]+)\]$/.exec(text)
  if (match) {
    const [, item = '', itemName = ''] = match
    return { kind: 'list', item: parseShape(item), itemName }
  }
  const scalar = scalarKinds.find((kind) => kind === text)
  return scalar ? { kind: scalar } : { kind: 'structure', name: text }
}
