/** An organization through the SDK: its tree, its accounts, and who may look at it. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { DescribeVpcsCommand } from '@aws-sdk/client-ec2'
import {
  CreateAccountCommand,
  CreateOrganizationalUnitCommand,
  CreateOrganizationCommand,
  DescribeAccountCommand,
  DescribeCreateAccountStatusCommand,
  DescribeOrganizationalUnitCommand,
  DescribeOrganizationCommand,
  DetachPolicyCommand,
  ListAccountsCommand,
  ListAccountsForParentCommand,
  ListOrganizationalUnitsForParentCommand,
  ListParentsCommand,
  ListPoliciesForTargetCommand,
  ListRootsCommand,
  MoveAccountCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations'
import { findMembership } from '../src/organizations/store.ts'
import { databases } from './databases.ts'
import { startOrganization } from './organization-clients.ts'
import { accountId, startSystem } from './system.ts'

async function start(context: TestContext, database: keyof typeof databases = 'sqlite') {
  const system = await startSystem(context, { database })
  const client = (settings: ConstructorParameters<typeof OrganizationsClient>[0]) => {
    const made = new OrganizationsClient(settings ?? {})
    context.after(() => made.destroy())
    return made
  }
  const organizations = client(system.settingsWith())
  const createAccount = async (AccountName: string) => {
    const input = { AccountName, Email: `${AccountName}@example.com` }
    const answer = await organizations.send(new CreateAccountCommand(input))
    const asked = answer.CreateAccountStatus
    assert.equal(asked?.State, 'IN_PROGRESS')
    return await system.until('an account', async () => {
      const request = { CreateAccountRequestId: asked.Id }
      const told = await organizations.send(new DescribeCreateAccountStatusCommand(request))
      return told.CreateAccountStatus?.State !== 'IN_PROGRESS' && told.CreateAccountStatus
    })
  }
  return { system, client, organizations, createAccount }
}

for (const database of Object.keys(databases) as (keyof typeof databases)[]) {
  test(`accounts are made and moved in a tree of units (${database})`, async (context) => {
    const { system, client, organizations, createAccount } = await start(context, database)
    const none = organizations.send(new DescribeOrganizationCommand({}))
    await assert.rejects(none, { name: 'AWSOrganizationsNotInUseException' })
    const made = await organizations.send(new CreateOrganizationCommand({}))
    assert.equal(made.Organization?.FeatureSet, 'ALL')
    const again = organizations.send(new CreateOrganizationCommand({}))
    await assert.rejects(again, { name: 'AlreadyInOrganizationException' })
    const { Organization } = await organizations.send(new DescribeOrganizationCommand({}))
    assert.deepEqual(Organization, made.Organization)
    assert.equal(Organization?.MasterAccountId, accountId)

    const { Roots } = await organizations.send(new ListRootsCommand({}))
    const root = Roots?.[0]?.Id
    assert(root)
    const createUnit = async (ParentId: string, Name: string) => {
      const input = { ParentId, Name }
      const answer = await organizations.send(new CreateOrganizationalUnitCommand(input))
      const unit = answer.OrganizationalUnit
      assert(unit?.Id)
      return { ...unit, Id: unit.Id }
    }
    const outer = await createUnit(root, 'outer')
    const inner = await createUnit(outer.Id, 'inner')
    await assert.rejects(createUnit(root, 'outer'), {
      name: 'DuplicateOrganizationalUnitException',
    })
    await assert.rejects(createUnit('r-none', 'x'), { name: 'ParentNotFoundException' })
    await assert.rejects(createUnit('nonsense', 'x'), { name: 'InvalidInputException' })
    const described = await organizations.send(
      new DescribeOrganizationalUnitCommand({ OrganizationalUnitId: inner.Id }),
    )
    assert.deepEqual(described.OrganizationalUnit, inner)
    const below = new ListOrganizationalUnitsForParentCommand({ ParentId: outer.Id })
    assert.deepEqual((await organizations.send(below)).OrganizationalUnits, [inner])

    const { AccountId: dev, ...status } = await createAccount('dev')
    assert(dev)
    assert.equal(status.State, 'SUCCEEDED')
    const asked = new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: status.Id })
    const { CreateAccountStatus } = await organizations.send(asked)
    assert.deepEqual(CreateAccountStatus, { ...status, AccountId: dev })
    const failed = await createAccount('dev')
    assert.deepEqual([failed.State, failed.FailureReason], ['FAILED', 'EMAIL_ALREADY_EXISTS'])

    const move = (SourceParentId: string, DestinationParentId: string, AccountId = dev) =>
      organizations.send(new MoveAccountCommand({ AccountId, SourceParentId, DestinationParentId }))
    await move(root, inner.Id)
    await assert.rejects(move(root, outer.Id), { name: 'SourceParentNotFoundException' })
    await assert.rejects(move(inner.Id, inner.Id), { name: 'DuplicateAccountException' })
    await assert.rejects(move(inner.Id, 'ou-none-aaaaaaaa'), {
      name: 'DestinationParentNotFoundException',
    })
    await assert.rejects(move(root, inner.Id, '999999999999'), { name: 'AccountNotFoundException' })
    const membership = await findMembership(system.db.reads, dev)
    assert.deepEqual(membership, {
      organizationArn: Organization?.Arn,
      unitArns: [inner.Arn, outer.Arn],
    })

    const accounts = await organizations.send(new ListAccountsCommand({}))
    assert.deepEqual(
      accounts.Accounts?.map(({ Id, Status }) => [Id, Status]),
      [dev, accountId].sort().map((id) => [id, 'ACTIVE']),
    )
    const inInner = new ListAccountsForParentCommand({ ParentId: inner.Id })
    const { Accounts } = await organizations.send(inInner)
    const { Account } = await organizations.send(new DescribeAccountCommand({ AccountId: dev }))
    assert.deepEqual(Accounts, [Account])
    assert.deepEqual([Account?.Name, Account?.Email], ['dev', 'dev@example.com'])
    const parentsOf = async (ChildId: string) =>
      (await organizations.send(new ListParentsCommand({ ChildId }))).Parents
    assert.deepEqual(await parentsOf(dev), [{ Id: inner.Id, Type: 'ORGANIZATIONAL_UNIT' }])
    assert.deepEqual(await parentsOf(outer.Id), [{ Id: root, Type: 'ROOT' }])
    await assert.rejects(parentsOf('999999999999'), { name: 'ChildNotFoundException' })

    // The account works like every other, and is in the organization without managing it.
    const settings = await system.settingsOf(dev)
    const ec2 = await system.client(dev)
    assert.equal((await ec2.send(new DescribeVpcsCommand({}))).Vpcs?.length, 1)
    const theirs = client(settings)
    const seen = await theirs.send(new DescribeOrganizationCommand({}))
    assert.equal(seen.Organization?.Id, Organization?.Id)
    await assert.rejects(theirs.send(new ListAccountsCommand({})), {
      name: 'AccessDeniedException',
    })
    await assert.rejects(theirs.send(new CreateOrganizationCommand({})), {
      name: 'AlreadyInOrganizationException',
    })
  })
}

test('units are at most five deep, and lists come in pages', async (context) => {
  const { organizations, createAccount } = await start(context)
  await organizations.send(new CreateOrganizationCommand({}))
  const { Roots } = await organizations.send(new ListRootsCommand({}))
  let ParentId = Roots?.[0]?.Id
  const create = async () => {
    const input = { ParentId, Name: 'unit' }
    const answer = await organizations.send(new CreateOrganizationalUnitCommand(input))
    return answer.OrganizationalUnit?.Id
  }
  for (let depth = 1; depth <= 5; depth++) ParentId = await create()
  await assert.rejects(create(), {
    name: 'ConstraintViolationException',
    Reason: 'OU_DEPTH_LIMIT_EXCEEDED',
  })

  for (const name of ['a', 'b', 'c']) await createAccount(name)
  const seen: (string | undefined)[] = []
  let NextToken: string | undefined
  do {
    const input = { MaxResults: 2, ...(NextToken && { NextToken }) }
    const page = await organizations.send(new ListAccountsCommand(input))
    assert((page.Accounts?.length ?? 0) <= 2)
    seen.push(...(page.Accounts ?? []).map(({ Id }) => Id))
    NextToken = page.NextToken
  } while (NextToken)
  assert.equal(new Set(seen).size, 4)
  const refused = { name: 'InvalidInputException' }
  const list = (input: object) => organizations.send(new ListAccountsCommand(input))
  await assert.rejects(list({ MaxResults: 21 }), refused)
  await assert.rejects(list({ NextToken: 'x' }), refused)
  const noAddress = new CreateAccountCommand({ AccountName: 'd', Email: 'd' })
  await assert.rejects(organizations.send(noAddress), refused)
})

test('calls that come at once keep the limits that each of them keeps', async (context) => {
  const world = await startOrganization(context, 'postgres')
  const type = 'SERVICE_CONTROL_POLICY'
  const Statement = { Effect: 'Deny', Action: 'ec2:CreateVolume', Resource: '*' }
  const content = { Version: '2012-10-17', Statement }
  await world.enable(type)
  const policies = []
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    policies.push(await world.createPolicy(type, name, content))
  }
  const attached = await Promise.allSettled(policies.map((id) => world.attach(id, world.root)))
  // There are five at most, and one was there before.
  assert.equal(attached.filter(({ status }) => status === 'fulfilled').length, 4)
  const { Policies = [] } = await world.management.organizations.send(
    new ListPoliciesForTargetCommand({ TargetId: world.root, Filter: type }),
  )
  assert.equal(Policies.length, 5)
  const detached = await Promise.allSettled(
    Policies.map(({ Id }) =>
      world.management.organizations.send(
        new DetachPolicyCommand({ PolicyId: Id, TargetId: world.root }),
      ),
    ),
  )
  assert.equal(detached.filter(({ status }) => status === 'fulfilled').length, 4)
})
