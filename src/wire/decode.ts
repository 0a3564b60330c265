/**
 * From the flat parameters of the query protocols to the input of an action,
 * named as the SDK names it. Whatever comes in, what goes out has only members
 * of the schema, or it is an `ApiError`.
 * https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
 */
import { ApiError, invalidParameterValue, missingParameter } from '../lib/errors.ts'
import type { Member, Model, Protocol, Shape, Structure } from './model.ts'
import type { Params } from './params.ts'
import { decodeScalar } from './scalars.ts'

export type Input = Record<string, unknown>

/** A list longer than this is refused before it is read. */
const listLengthMax = 1000

/** Parameters that AWS, where they are missing, calls by another name than requests do. */
const shownNames: ReadonlyMap<string, string> = new Map([
  ['CreateTagsRequest.Resources', 'resourceIdSet'],
  ['DeleteTagsRequest.Resources', 'resourceIdSet'],
])

/** `A.1.B=c` as a tree: what has the same beginning hangs under one node. */
interface Node {
  /** The whole name of the first parameter at or below this node. */
  readonly firstName: string
  readonly children: Map<string, Node>
  value: string | undefined
}

/** Decodes what `action` was given, or refuses it as AWS would. */
export function decodeInput(model: Model, action: string, params: Params): Input {
  const root = treeOf(params)
  const structure = model.input(action)
  if (structure) return decodeMembers(model, structure, root, '').values
  for (const child of root.children.values()) throw unknownParameter(child)
  return {}
}

function treeOf(params: Params): Node {
  const root: Node = { firstName: '', children: new Map(), value: undefined }
  for (const [name, value] of params) {
    if (isOfTheProtocol(name)) continue
    let node = root
    for (const part of name.split('.')) {
      const child = node.children.get(part) ?? {
        firstName: name,
        children: new Map<string, Node>(),
        value: undefined,
      }
      node.children.set(part, child)
      node = child
    }
    node.value = value
  }
  return root
}

/** What says which action is meant and who signed it, and is no input of it. */
function isOfTheProtocol(name: string): boolean {
  return name === 'Action' || name === 'Version' || name.startsWith('X-Amz-')
}

function decodeMembers(
  model: Model,
  structure: Structure,
  node: Node,
  prefix: string,
): { readonly values: Input; readonly isEmpty: boolean } {
  const values: Input = {}
  let isEmpty = true
  for (const [requestName, child] of node.children) {
    const member = structure.byRequestName.get(requestName)
    if (!member) throw unknownParameter(child)
    const value = decodeShape(model, member, member.shape, child, prefix + requestName)
    if (value === undefined) continue
    values[member.name] = value
    isEmpty = false
  }
  // A structure that is there through empty values only is not there, and lacks nothing.
  if (isEmpty && prefix !== '') return { values, isEmpty }
  for (const member of structure.members) {
    if (member.isRequired && values[member.name] === undefined)
      throw missingParameter(
        shownNames.get(`${structure.name}.${member.name}`) ?? prefix + member.requestName,
      )
  }
  return { values, isEmpty }
}

/** The value at `node`; nothing where all that is there is empty. */
function decodeShape(
  model: Model,
  member: Member,
  shape: Shape,
  node: Node,
  path: string,
): unknown {
  if (shape.kind === 'structure' || shape.kind === 'list') {
    // Some clients name a structure or a list that they leave empty.
    if (node.value) throw unknownParameter(node)
    if (shape.kind === 'list') return decodeList(model, member, shape, node, path)
    const decoded = decodeMembers(model, model.structure(shape.name), node, `${path}.`)
    return decoded.isEmpty ? undefined : decoded.values
  }
  if (shape.kind === 'map') return decodeMap(model, member, shape, node, path)
  for (const child of node.children.values()) throw unknownParameter(child)
  if (node.value === undefined || (node.value === '' && !member.isMeantWhenEmpty)) return undefined
  return decodeScalar(shape.kind, node.value, path)
}

function decodeList(
  model: Model,
  member: Member,
  shape: Shape & { readonly kind: 'list' },
  node: Node,
  path: string,
): readonly unknown[] | undefined {
  const values: unknown[] = []
  const items = itemsOf(model.protocol, shape.itemName, node, path)
  if (items.length > listLengthMax)
    throw invalidParameterValue(path, '', `It must have at most ${listLengthMax} items.`)
  // Who names one image by nothing does not mean all of them.
  const meant = { ...member, isMeantWhenEmpty: true }
  for (const { index, child, itemPath } of items.toSorted((a, b) => a.index - b.index)) {
    const value = decodeShape(model, meant, shape.item, child, `${itemPath}.${index}`)
    if (value !== undefined) values.push(value)
  }
  return values.length === 0 ? undefined : values
}

/** awsQuery: `Name.entry.1.key` and `Name.entry.1.value`. */
function decodeMap(
  model: Model,
  member: Member,
  shape: Shape & { readonly kind: 'map' },
  node: Node,
  path: string,
): Input | undefined {
  const entries: [string, unknown][] = []
  for (const { index, child, itemPath } of itemsOf('awsQuery', 'entry', node, path)) {
    const at = `${itemPath}.${index}`
    for (const [name, part] of child.children) {
      if (name !== 'key' && name !== 'value') throw unknownParameter(part)
    }
    const value = child.children.get('value')
    const key = child.children.get('key')?.value
    if (key === undefined || !value) throw missingParameter(`${at}.${key ? 'value' : 'key'}`)
    const meant = { ...member, isMeantWhenEmpty: true }
    const decoded = decodeShape(model, meant, shape.value, value, `${at}.value`)
    if (decoded !== undefined) entries.push([key, decoded])
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

interface Item {
  readonly index: number
  readonly child: Node
  readonly itemPath: string
}

/** ec2Query: `Name.1`. awsQuery: `Name.member.1`. Any numbers do, in their order. */
function itemsOf(protocol: Protocol, itemName: string, node: Node, path: string): readonly Item[] {
  if (protocol === 'awsQuery') {
    return [...node.children].flatMap(([name, child]) => {
      if (name !== itemName || child.value) throw unknownParameter(child)
      return itemsOf('ec2Query', itemName, child, `${path}.${itemName}`)
    })
  }
  return [...node.children].map(([name, child]) => {
    if (!/^(?:0|[1-9]\d{0,8})$/.test(name)) throw unknownParameter(child)
    return { index: Number(name), child, itemPath: path }
  })
}

function unknownParameter(node: Node): ApiError {
  return new ApiError('UnknownParameter', `The parameter ${node.firstName} is not recognized`)
}
