import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PermissionsInput, readPermissions } from './read-permissions.ts'
import { describePermission, isSamePermission } from './security-group-rule.ts'
import type { SecurityGroup } from './security-group.ts'

const group: SecurityGroup = {
  id: 'sg-00000000000000001',
  accountId: '111111111111',
  region: 'us-east-1',
  vpcId: 'vpc-00000000000000001',
  name: 'web',
  description: 'for the web',
}
const other: SecurityGroup = { ...group, id: 'sg-00000000000000002', name: 'db' }

const read = (input: PermissionsInput) =>
  readPermissions(input, { isEgress: false, group, groups: [group, other] })

test('the flat parameters and IpPermissions mean the same', () => {
  const ports = { IpProtocol: 'tcp', FromPort: 22, ToPort: 22 }
  const [flat] = read({ ...ports, CidrIp: '0.0.0.0/0' })
  const [listed] = read({ IpPermissions: [{ ...ports, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }] })
  const [numbered] = read({ ...ports, IpProtocol: '6', CidrIp: '1.2.3.4/0' })
  assert(flat && listed && numbered)
  assert(isSamePermission(flat, listed))
  assert(isSamePermission(flat, numbered))
  assert.equal(describePermission(flat), 'peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW')
})

test('a permission with several peers is several rules', () => {
  const rules = read({
    IpPermissions: [
      {
        IpProtocol: '-1',
        IpRanges: [{ CidrIp: '10.0.0.0/8', Description: 'inside' }],
        Ipv6Ranges: [{ CidrIpv6: '::/0' }],
        UserIdGroupPairs: [{ GroupId: other.id }, { GroupName: 'web', UserId: group.accountId }],
      },
    ],
  })
  assert.deepEqual(
    rules.map(({ peer, description }) => [peer, description]),
    [
      [{ kind: 'ipv4', cidr: '10.0.0.0/8' }, 'inside'],
      [{ kind: 'ipv6', cidr: '::/0' }, undefined],
      [{ kind: 'group', groupId: other.id }, undefined],
      [{ kind: 'group', groupId: group.id }, undefined],
    ],
  )
})

test('a group named as the source alone lets everything through', () => {
  const [rule] = read({ SourceSecurityGroupName: 'db' })
  assert.deepEqual(
    [rule?.protocol, rule?.fromPort, rule?.peer],
    ['-1', -1, { kind: 'group', groupId: other.id }],
  )
})

test('what no rule can be is refused', () => {
  const range = { IpRanges: [{ CidrIp: '0.0.0.0/0' }] }
  const ports = { FromPort: 1, ToPort: 2 }
  const refused = (permission: object, code = 'InvalidParameterValue') =>
    assert.throws(() => read({ IpPermissions: [permission] }), { code }, JSON.stringify(permission))
  refused({ ...range, IpProtocol: 'tcp' })
  refused({ ...range, IpProtocol: 'tcp', FromPort: 2, ToPort: 1 })
  refused({ ...range, IpProtocol: 'udp', FromPort: -1, ToPort: 1 })
  refused({ ...range, IpProtocol: 'udp', FromPort: 1, ToPort: 65_536 })
  refused({ ...range, IpProtocol: 'icmp', FromPort: 256 })
  refused({ ...range, IpProtocol: 'icmp', FromPort: -1, ToPort: 0 })
  refused({ ...range, IpProtocol: 'carrier-pigeon' })
  refused({ ...range, IpProtocol: '256' })
  refused({ ...ports, IpProtocol: 'tcp', IpRanges: [{ CidrIp: '10.0.0.0' }] })
  refused({ ...ports, IpProtocol: 'tcp' }, 'MissingParameter')
  refused({ ...ports, ...range, IpProtocol: 'tcp', PrefixListIds: [{}] }, 'UnsupportedOperation')
  const missing = { UserIdGroupPairs: [{ GroupName: 'none' }] }
  refused({ ...ports, IpProtocol: 'tcp', ...missing }, 'InvalidGroup.NotFound')
  const foreign = { UserIdGroupPairs: [{ GroupId: other.id, UserId: '222222222222' }] }
  refused({ ...ports, IpProtocol: 'tcp', ...foreign }, 'InvalidGroup.NotFound')
  assert.throws(() => read({}), { code: 'MissingParameter' })
})
