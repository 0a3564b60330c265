import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DeleteSecurityGroupCommand,
  DescribeAccountAttributesCommand,
  DescribeAvailabilityZonesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRegionsCommand,
  DescribeSecurityGroupRulesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  type IpPermission,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
} from '@aws-sdk/client-ec2'
import { region, startSystem } from './system.ts'

async function start(context: TestContext) {
  const system = await startSystem(context, { isIdle: true })
  const { ec2 } = system
  return {
    ...system,
    createGroup: async (GroupName: string) => {
      const command = new CreateSecurityGroupCommand({ GroupName, Description: `for ${GroupName}` })
      const { GroupId } = await ec2.send(command)
      assert(GroupId)
      return GroupId
    },
    describeGroup: async (GroupId: string) => {
      const command = new DescribeSecurityGroupsCommand({ GroupIds: [GroupId] })
      const { SecurityGroups = [] } = await ec2.send(command)
      assert(SecurityGroups[0])
      return SecurityGroups[0]
    },
  }
}

const ssh: IpPermission = {
  IpProtocol: 'tcp',
  FromPort: 22,
  ToPort: 22,
  IpRanges: [{ CidrIp: '0.0.0.0/0' }],
}

test('an account finds a default network with a subnet in each zone', async (context) => {
  const { ec2 } = await start(context)
  const filters = [{ Name: 'isDefault', Values: ['true'] }]
  const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({ Filters: filters }))
  const [vpc] = Vpcs
  assert.deepEqual([Vpcs.length, vpc?.CidrBlock, vpc?.State], [1, '172.31.0.0/16', 'available'])
  const { Subnets = [] } = await ec2.send(
    new DescribeSubnetsCommand({
      Filters: [
        { Name: 'vpc-id', Values: [vpc?.VpcId ?? ''] },
        { Name: 'default-for-az', Values: ['true'] },
      ],
    }),
  )
  assert.deepEqual(
    new Map(Subnets.map((one) => [one.AvailabilityZone, one.AvailableIpAddressCount])),
    new Map(['a', 'b', 'c'].map((letter) => [`${region}${letter}`, 4091])),
  )
  const zones = await ec2.send(new DescribeAvailabilityZonesCommand({ ZoneNames: [`${region}b`] }))
  assert.deepEqual(
    zones.AvailabilityZones?.map(({ ZoneId }) => ZoneId),
    ['use1-az2'],
  )
  const attributes = await ec2.send(
    new DescribeAccountAttributesCommand({ AttributeNames: ['default-vpc'] }),
  )
  const [attribute] = attributes.AccountAttributes ?? []
  assert.equal(attribute?.AttributeValues?.[0]?.AttributeValue, vpc?.VpcId)
  const regions = await ec2.send(new DescribeRegionsCommand({ RegionNames: [region] }))
  assert.equal(regions.Regions?.[0]?.RegionName, region)
  const { NetworkInterfaces } = await ec2.send(new DescribeNetworkInterfacesCommand({}))
  assert.deepEqual(NetworkInterfaces, [])
})

test('what is not there is refused by its kind', async (context) => {
  const { ec2 } = await start(context)
  const refused = (sent: Promise<unknown>, name: string) => assert.rejects(sent, { name })
  const digits = '0123456789abcdef0'
  await refused(
    ec2.send(new DescribeVpcsCommand({ VpcIds: [`vpc-${digits}`] })),
    'InvalidVpcID.NotFound',
  )
  await refused(
    ec2.send(new DescribeSubnetsCommand({ SubnetIds: [`subnet-${digits}`] })),
    'InvalidSubnetID.NotFound',
  )
  await refused(
    ec2.send(new DescribeSubnetsCommand({ SubnetIds: ['subnet-x'] })),
    'InvalidSubnetID.Malformed',
  )
  await refused(
    ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [`sg-${digits}`] })),
    'InvalidGroup.NotFound',
  )
  await refused(
    ec2.send(new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [`eni-${digits}`] })),
    'InvalidNetworkInterfaceID.NotFound',
  )
  await refused(
    ec2.send(new DescribeRegionsCommand({ RegionNames: ['mars-1'] })),
    'InvalidParameterValue',
  )
})

test('a new group lets everything out and nothing in, until it is told otherwise', async (context) => {
  const { ec2, createGroup, describeGroup } = await start(context)
  const GroupId = await createGroup('web')
  const fresh = await describeGroup(GroupId)
  assert.deepEqual(fresh.IpPermissions, [])
  assert.equal(fresh.IpPermissionsEgress?.[0]?.IpRanges?.[0]?.CidrIp, '0.0.0.0/0')

  const authorized = await ec2.send(
    new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [ssh] }),
  )
  const [rule] = authorized.SecurityGroupRules ?? []
  assert.deepEqual([rule?.CidrIpv4, rule?.FromPort, rule?.IsEgress], ['0.0.0.0/0', 22, false])
  const flat = { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, CidrIp: '0.0.0.0/0' }
  await assert.rejects(
    ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupName: 'web', ...flat })),
    {
      name: 'InvalidPermission.Duplicate',
      message:
        'the specified rule "peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW" already exists',
    },
  )
  const rules = await ec2.send(
    new DescribeSecurityGroupRulesCommand({ Filters: [{ Name: 'group-id', Values: [GroupId] }] }),
  )
  assert.equal(rules.SecurityGroupRules?.length, 2)
  const found = await ec2.send(
    new DescribeSecurityGroupsCommand({
      Filters: [{ Name: 'ip-permission.to-port', Values: ['22'] }],
    }),
  )
  assert.deepEqual(
    found.SecurityGroups?.map((group) => group.GroupId),
    [GroupId],
  )

  await ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, ...flat }))
  assert.deepEqual((await describeGroup(GroupId)).IpPermissions, [])
  const again = await ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, ...flat }))
  assert.equal(again.UnknownIpPermissions?.length, 1)
})

test('rules of a group go out too, and by their ids', async (context) => {
  const { ec2, createGroup, describeGroup } = await start(context)
  const GroupId = await createGroup('web')
  const { SecurityGroupRules = [] } = await ec2.send(
    new AuthorizeSecurityGroupEgressCommand({
      GroupId,
      IpPermissions: [{ ...ssh, UserIdGroupPairs: [{ GroupId }], IpRanges: [] }],
    }),
  )
  const ids = SecurityGroupRules.map(({ SecurityGroupRuleId = '' }) => SecurityGroupRuleId)
  const { IpPermissionsEgress = [] } = await describeGroup(GroupId)
  assert.deepEqual(
    IpPermissionsEgress.flatMap(({ UserIdGroupPairs = [] }) => UserIdGroupPairs).map(
      (pair) => pair.GroupId,
    ),
    [GroupId],
  )
  await ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, SecurityGroupRuleIds: ids }))
  await assert.rejects(
    ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, SecurityGroupRuleIds: ids })),
    { name: 'InvalidSecurityGroupRuleId.NotFound' },
  )
})

test('a group is deleted unless something depends on it', async (context) => {
  const { ec2, createGroup } = await start(context)
  const [web, db] = [await createGroup('web'), await createGroup('db')]
  await assert.rejects(createGroup('web'), { name: 'InvalidGroup.Duplicate' })
  await assert.rejects(createGroup('default'), { name: 'InvalidParameterValue' })
  const fromWeb = { ...ssh, IpRanges: [], UserIdGroupPairs: [{ GroupId: web }] }
  await ec2.send(
    new AuthorizeSecurityGroupIngressCommand({ GroupId: db, IpPermissions: [fromWeb] }),
  )
  const remove = (input: object) => ec2.send(new DeleteSecurityGroupCommand(input))
  await assert.rejects(remove({ GroupId: web }), { name: 'DependencyViolation' })
  await assert.rejects(remove({ GroupName: 'default' }), { name: 'CannotDelete' })
  await remove({ GroupId: db })
  await remove({ GroupName: 'web' })
  await assert.rejects(remove({ GroupId: web }), {
    name: 'InvalidGroup.NotFound',
    message: `The security group '${web}' does not exist`,
  })
})
