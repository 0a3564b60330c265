/** A VPC: a private network of an account in a Region. Each account has a default one. */
import { ApiError } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'

export interface Vpc {
  readonly id: Id<'vpc'>
  readonly accountId: string
  readonly region: string
  readonly cidr: string
  readonly isDefault: boolean
  readonly createdAt: Date
}

export const defaultVpcCidr = '172.31.0.0/16'

export function parseVpcId(text: string): Id<'vpc'> {
  if (isId('vpc', text)) return text
  throw new ApiError('InvalidVpcID.Malformed', `Invalid id: "${text}" (expecting "vpc-...")`)
}

export function vpcNotFound(id: string): ApiError {
  return new ApiError('InvalidVpcID.NotFound', `The vpc ID '${id}' does not exist`)
}

/** The domain of the names that instances have inside. */
export function internalDomain(region: string): string {
  return region === 'us-east-1' ? 'ec2.internal' : `${region}.compute.internal`
}

/** `ip-172-31-0-5.ec2.internal` */
export function privateDnsName(region: string, privateIp: string): string {
  return `ip-${privateIp.replaceAll('.', '-')}.${internalDomain(region)}`
}
