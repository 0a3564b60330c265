/**
 * The rules that a call means, be it by `IpPermissions` or by the older flat
 * parameters. Each comes out in the one form in which rules are kept.
 */
import type { IpPermission } from '@aws-sdk/client-ec2'
import { ApiError, missingParameter, unsupportedParameter } from '../lib/errors.ts'
import { canonicalIpv4Cidr, canonicalIpv6Cidr } from './address.ts'
import { checkRuleDescription, readTraffic } from './traffic.ts'
import type { Peer, Permission } from './security-group-rule.ts'
import { groupNotFound, parseGroupId, type SecurityGroup } from './security-group.ts'

export interface PermissionsInput {
  readonly CidrIp?: string | undefined
  readonly FromPort?: number | undefined
  readonly ToPort?: number | undefined
  readonly IpProtocol?: string | undefined
  readonly IpPermissions?: readonly IpPermission[] | undefined
  readonly SourceSecurityGroupName?: string | undefined
  readonly SourceSecurityGroupOwnerId?: string | undefined
}

interface Place {
  readonly isEgress: boolean
  /** The group whose rules they are: groups named by name are of its VPC. */
  readonly group: SecurityGroup
  /** All groups of the account in the Region. */
  readonly groups: readonly SecurityGroup[]
}

export function readPermissions(input: PermissionsInput, place: Place): readonly Permission[] {
  const permissions = input.IpPermissions?.length ? input.IpPermissions : [flatPermission(input)]
  return permissions.flatMap((permission) => readPermission(permission, place))
}

/** The old form has one peer, which is a range or a group. */
function flatPermission(input: PermissionsInput): IpPermission {
  const { CidrIp, FromPort, ToPort, SourceSecurityGroupName: GroupName } = input
  // A group that is named without a protocol lets everything through.
  const IpProtocol = input.IpProtocol ?? (GroupName ? '-1' : undefined)
  if (IpProtocol === undefined) throw missingParameter('ipPermissions')
  return {
    IpProtocol,
    FromPort,
    ToPort,
    ...(CidrIp && { IpRanges: [{ CidrIp }] }),
    ...(GroupName && {
      UserIdGroupPairs: [{ GroupName, UserId: input.SourceSecurityGroupOwnerId }],
    }),
  }
}

function readPermission(permission: IpPermission, place: Place): readonly Permission[] {
  if (permission.PrefixListIds?.length) throw unsupportedParameter('PrefixListIds')
  const traffic = readTraffic(permission)
  const peers = readPeers(permission, place)
  if (peers.length === 0) {
    throw new ApiError(
      'MissingParameter',
      'The request must contain the parameter ipRanges, ipv6Ranges or groups',
    )
  }
  return peers.map((peer) => ({ ...traffic, ...peer, isEgress: place.isEgress }))
}

type Described = Pick<Permission, 'peer' | 'description'>

function readPeers(permission: IpPermission, place: Place): readonly Described[] {
  const { IpRanges = [], Ipv6Ranges = [], UserIdGroupPairs = [] } = permission
  return [
    ...IpRanges.map(({ CidrIp = '', Description }) =>
      describe({ kind: 'ipv4', cidr: canonicalIpv4Cidr(CidrIp) ?? malformed(CidrIp) }, Description),
    ),
    ...Ipv6Ranges.map(({ CidrIpv6 = '', Description }) =>
      describe(
        { kind: 'ipv6', cidr: canonicalIpv6Cidr(CidrIpv6) ?? malformed(CidrIpv6) },
        Description,
      ),
    ),
    ...UserIdGroupPairs.map(({ Description, ...pair }) =>
      describe({ kind: 'group', groupId: findPeerGroup(pair, place).id }, Description),
    ),
  ]
}

function describe(peer: Peer, description: string | undefined): Described {
  if (description !== undefined) checkRuleDescription(description)
  return { peer, description }
}

function malformed(cidr: string): never {
  throw new ApiError('InvalidParameterValue', `CIDR block ${cidr} is malformed`)
}

function findPeerGroup(
  wanted: {
    readonly GroupId?: string | undefined
    readonly GroupName?: string | undefined
    readonly UserId?: string | undefined
  },
  { group, groups }: Place,
): SecurityGroup {
  const { GroupId, GroupName, UserId } = wanted
  const isOwn = !UserId || UserId === group.accountId
  const inVpc = groups.filter((one) => one.vpcId === group.vpcId)
  if (GroupId) {
    const found = inVpc.find((one) => one.id === parseGroupId(GroupId))
    if (!found || !isOwn) throw groupNotFound(GroupId)
    return found
  }
  if (!GroupName) throw missingParameter('groupId')
  const found = inVpc.find((one) => one.name === GroupName)
  if (!found || !isOwn) throw groupNotFound(GroupName)
  return found
}
