/**
 * The resources of EC2 that a call names, wherever in its input. An operation that says
 * nothing of resources is allowed on `*` or not at all; a deny for one resource holds for
 * it all the same, or a policy would seem to protect what it does not.
 */
import { type Ec2Type, ec2Arn, type Place } from './ec2-resources.ts'

const types: Readonly<Record<string, Ec2Type>> = {
  ami: 'image',
  eni: 'network-interface',
  i: 'instance',
  sg: 'security-group',
  snap: 'snapshot',
  subnet: 'subnet',
  vol: 'volume',
  vpc: 'vpc',
}

/** Descriptions are not judged by what they are about; those of attributes are. */
const isJudged = (action: string): boolean =>
  !action.startsWith('Describe') || action.endsWith('Attribute')

export function namedResources(action: string, input: unknown, place: Place): readonly string[] {
  if (!isJudged(action)) return []
  const arns = new Set<string>()
  const look = (value: unknown): void => {
    if (typeof value === 'string') {
      const prefix = /^(ami|eni|i|sg|snap|subnet|vol|vpc)-[0-9a-f]{8,17}$/.exec(value)?.[1]
      const type = prefix === undefined ? undefined : types[prefix]
      if (type) arns.add(ec2Arn(type, place, value))
    } else if (Array.isArray(value)) value.forEach(look)
    else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
      Object.values(value).forEach(look)
    }
  }
  look(input)
  return [...arns]
}
