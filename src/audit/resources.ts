/**
 * Which resources a call names, in what it was given and what it made: what looks like an id
 * of ours, and what IAM's members name.
 */
import type { Resource } from './event.ts'

const types: ReadonlyMap<string, string> = new Map([
  ['ami', 'AWS::EC2::Ami'],
  ['eni', 'AWS::EC2::NetworkInterface'],
  ['i', 'AWS::EC2::Instance'],
  ['key', 'AWS::EC2::KeyPair'],
  ['sg', 'AWS::EC2::SecurityGroup'],
  ['snap', 'AWS::EC2::Snapshot'],
  ['subnet', 'AWS::EC2::Subnet'],
  ['vol', 'AWS::EC2::Volume'],
  ['vpc', 'AWS::EC2::VPC'],
])

/** Members that name something of IAM by a text that could be anything. */
const members: ReadonlyMap<string, string> = new Map([
  ['AccessKeyId', 'AWS::IAM::AccessKey'],
  ['InstanceProfileName', 'AWS::IAM::InstanceProfile'],
  ['PolicyArn', 'AWS::IAM::Policy'],
  ['RoleArn', 'AWS::IAM::Role'],
  ['RoleName', 'AWS::IAM::Role'],
  ['UserName', 'AWS::IAM::User'],
])

const resourcesMax = 100
const nameLengthMax = 2048
const depthMax = 12

/** Each once, in the order in which they come. */
export function resourcesIn(...values: readonly unknown[]): readonly Resource[] {
  const found = new Map<string, Resource>()
  for (const value of values) visit(value, found, 0)
  return [...found.values()]
}

/** `ami-0123456789abcdef0`, as a text of its own. */
function visit(value: unknown, found: Map<string, Resource>, depth: number): void {
  if (found.size >= resourcesMax || depth > depthMax) return
  if (typeof value === 'string') {
    const [, kind = ''] = /^([a-z]+)-[0-9a-f]{8,17}$/.exec(value) ?? []
    const type = types.get(kind)
    if (type) add(found, type, value)
  } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    for (const [member, child] of Object.entries(value)) {
      const type = members.get(member)
      if (type !== undefined && typeof child === 'string') add(found, type, child)
      else visit(child, found, depth + 1)
    }
  }
}

/** Names are looked up without their types: of namesakes in one call the first is told. */
function add(found: Map<string, Resource>, type: string, name: string): void {
  const isNew = name !== '' && name.length <= nameLengthMax && !found.has(name)
  if (isNew) found.set(name, { type, name })
}
