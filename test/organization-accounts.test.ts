/** The accounts and units of an organization: how they come, move, leave and are closed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DescribeDeclarativePoliciesReportsCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeVpcsCommand,
  ModifyImageAttributeCommand,
} from '@aws-sdk/client-ec2'
import { CreateAccessKeyCommand, CreateUserCommand } from '@aws-sdk/client-iam'
import {
  CloseAccountCommand,
  CreateAccountCommand,
  DeleteOrganizationalUnitCommand,
  DeleteOrganizationCommand,
  DeregisterDelegatedAdministratorCommand,
  DescribeAccountCommand,
  DescribeOrganizationalUnitCommand,
  DescribeOrganizationCommand,
  DisableAWSServiceAccessCommand,
  EnableAWSServiceAccessCommand,
  LeaveOrganizationCommand,
  ListAccountsCommand,
  ListAWSServiceAccessForOrganizationCommand,
  ListChildrenCommand,
  ListCreateAccountStatusCommand,
  ListDelegatedAdministratorsCommand,
  ListDelegatedServicesForAccountCommand,
  ListTagsForResourceCommand,
  RegisterDelegatedAdministratorCommand,
  RemoveAccountFromOrganizationCommand,
  UpdateOrganizationalUnitCommand,
} from '@aws-sdk/client-organizations'
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { transaction } from '../src/db/database.ts'
import { findFastRestore, insertFastRestore } from '../src/fast-restores/store.ts'
import { listByState } from '../src/instances/store.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { aSnapshot } from '../src/snapshots/testing.ts'
import { startOrganization, usualRole } from './organization-clients.ts'
import { putImage, putInstance } from './rows.ts'
import { accountId as managementId, region } from './system.ts'

test('a closed account lets nobody in, and what ran in it is stopped', async (context) => {
  const world = await startOrganization(context)
  const { system, management, createAccount, enter } = world
  const { organizations, sts } = management
  const dev = await createAccount('dev')
  const inside = await enter(dev)
  await inside.iam.send(new CreateUserCommand({ UserName: 'alice' }))
  const { AccessKey } = await inside.iam.send(new CreateAccessKeyCommand({ UserName: 'alice' }))
  const alice = world.clientsOf({
    id: AccessKey?.AccessKeyId ?? '',
    secret: AccessKey?.SecretAccessKey ?? '',
  })
  await alice.sts.send(new GetCallerIdentityCommand({}))
  const owner = { accountId: dev, region }
  const image = await putImage(system.db, owner, { name: 'an image' })
  const close = (AccountId: string) => organizations.send(new CloseAccountCommand({ AccountId }))

  const running = await putInstance(system.db, owner, { imageId: image.id, state: 'stopped' })
  const snapshot = aSnapshot(1, owner)
  const restore = { ...owner, snapshotId: snapshot.id, zone: `${region}a`, times: {} } as const
  await transaction(system.db.writes, async (tx) => {
    await insertSnapshot(tx, snapshot)
    await insertFastRestore(tx, { ...restore, state: 'enabled' })
  })
  await close(dev)
  const statusOf = async (AccountId: string) =>
    (await organizations.send(new DescribeAccountCommand({ AccountId }))).Account?.Status
  await system.until('it is closed', async () => (await statusOf(dev)) === 'SUSPENDED')
  const stopped = await listByState(system.db.reads, ['stopped'])
  assert(stopped.some(({ id }) => id === running.id))
  await system.until('no base is kept for it', async () => {
    const found = await findFastRestore(system.db.reads, restore)
    return found?.state === 'disabled'
  })

  const unknown = { name: 'InvalidClientTokenId' }
  await assert.rejects(alice.sts.send(new GetCallerIdentityCommand({})), unknown)
  await assert.rejects(inside.sts.send(new GetCallerIdentityCommand({})), unknown)
  await assert.rejects(inside.ec2.send(new DescribeInstancesCommand({})), unknown)
  await assert.rejects(enter(dev), { name: 'AccessDenied' })
  const { Accounts } = await organizations.send(new ListAccountsCommand({}))
  assert.deepEqual(
    Accounts?.map(({ Id, Status }) => [Id, Status]),
    [
      [dev, 'SUSPENDED'],
      [managementId, 'ACTIVE'],
    ].toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  )

  await assert.rejects(close(dev), { name: 'AccountAlreadyClosedException' })
  await assert.rejects(close('999999999999'), { name: 'AccountNotFoundException' })
  await assert.rejects(close(managementId), {
    name: 'ConstraintViolationException',
    Reason: 'CANNOT_CLOSE_MANAGEMENT_ACCOUNT',
  })
  const remove = new RemoveAccountFromOrganizationCommand({ AccountId: dev })
  await assert.rejects(organizations.send(remove), { name: 'ConstraintViolationException' })
  await assert.rejects(organizations.send(new DeleteOrganizationCommand({})), {
    name: 'OrganizationNotEmptyException',
  })
  // Its address stays taken.
  const again = new CreateAccountCommand({ AccountName: 'dev', Email: 'DEV@example.com' })
  const { CreateAccountStatus } = await organizations.send(again)
  await system.until('it failed', async () => {
    const list = new ListCreateAccountStatusCommand({ States: ['FAILED'] })
    const { CreateAccountStatuses: failed = [] } = await organizations.send(list)
    return failed.some(
      ({ Id, FailureReason }) =>
        Id === CreateAccountStatus?.Id && FailureReason === 'EMAIL_ALREADY_EXISTS',
    )
  })
  const taken = new AssumeRoleCommand({
    RoleArn: `arn:aws:iam::${dev}:role/${usualRole}`,
    RoleSessionName: 'again',
  })
  await assert.rejects(sts.send(taken), { name: 'AccessDenied' })
})

test('accounts and units leave as they came, and an organization ends when it is empty', async (context) => {
  const world = await startOrganization(context)
  const { root, management, createUnit, createAccount, enter, move, system } = world
  const { organizations } = management
  const outer = await createUnit('outer')
  const inner = await createUnit('inner', outer)
  const dev = await createAccount('dev')
  await move(dev, root, inner)
  const inside = await enter(dev)

  const childrenOf = async (ParentId: string, ChildType: 'ACCOUNT' | 'ORGANIZATIONAL_UNIT') =>
    (await organizations.send(new ListChildrenCommand({ ParentId, ChildType }))).Children
  assert.deepEqual(await childrenOf(outer, 'ORGANIZATIONAL_UNIT'), [
    { Id: inner, Type: 'ORGANIZATIONAL_UNIT' },
  ])
  assert.deepEqual(await childrenOf(inner, 'ACCOUNT'), [{ Id: dev, Type: 'ACCOUNT' }])
  assert.deepEqual(await childrenOf(outer, 'ACCOUNT'), [])

  const rename = (OrganizationalUnitId: string, Name: string) =>
    organizations.send(new UpdateOrganizationalUnitCommand({ OrganizationalUnitId, Name }))
  const other = await createUnit('other')
  await assert.rejects(rename(other, 'outer'), { name: 'DuplicateOrganizationalUnitException' })
  await assert.rejects(rename('ou-none-aaaaaaaa', 'x'), {
    name: 'OrganizationalUnitNotFoundException',
  })
  const { OrganizationalUnit } = await rename(other, 'better')
  assert.equal(OrganizationalUnit?.Name, 'better')
  await rename(other, 'better')
  const removeUnit = (OrganizationalUnitId: string) =>
    organizations.send(new DeleteOrganizationalUnitCommand({ OrganizationalUnitId }))
  for (const unit of [outer, inner]) {
    await assert.rejects(removeUnit(unit), { name: 'OrganizationalUnitNotEmptyException' })
  }
  await assert.rejects(removeUnit('r-none'), { name: 'OrganizationalUnitNotFoundException' })
  await removeUnit(other)
  await assert.rejects(
    organizations.send(new DescribeOrganizationalUnitCommand({ OrganizationalUnitId: other })),
    { name: 'OrganizationalUnitNotFoundException' },
  )

  // An image that is shared with a unit is so with the accounts that are in it now.
  const image = await putImage(system.db, { accountId: managementId, region }, { name: 'shared' })
  const described = await organizations.send(
    new DescribeOrganizationalUnitCommand({ OrganizationalUnitId: inner }),
  )
  const OrganizationalUnitArn = described.OrganizationalUnit?.Arn
  await management.ec2.send(
    new ModifyImageAttributeCommand({
      ImageId: image.id,
      LaunchPermission: { Add: [{ OrganizationalUnitArn }] },
    }),
  )
  const look = new DescribeImagesCommand({ ImageIds: [image.id] })
  assert.equal((await inside.ec2.send(look)).Images?.length, 1)

  await assert.rejects(organizations.send(new LeaveOrganizationCommand({})), {
    name: 'MasterCannotLeaveOrganizationException',
  })
  await assert.rejects(organizations.send(new DeleteOrganizationCommand({})), {
    name: 'OrganizationNotEmptyException',
  })
  await inside.organizations.send(new LeaveOrganizationCommand({}))
  await assert.rejects(inside.organizations.send(new DescribeOrganizationCommand({})), {
    name: 'AWSOrganizationsNotInUseException',
  })
  await assert.rejects(inside.ec2.send(look), { name: 'InvalidAMIID.NotFound' })
  const tags = new ListTagsForResourceCommand({ ResourceId: dev })
  await assert.rejects(organizations.send(tags), { name: 'TargetNotFoundException' })
  const remove = (AccountId: string) =>
    organizations.send(new RemoveAccountFromOrganizationCommand({ AccountId }))
  await assert.rejects(remove(dev), { name: 'AccountNotFoundException' })
  await remove(await createAccount('second'))
  await assert.rejects(remove(managementId), { name: 'MasterCannotLeaveOrganizationException' })
  // Out of the organization, the account goes on as it was.
  await inside.ec2.send(new DescribeVpcsCommand({}))

  await removeUnit(inner)
  await organizations.send(new DeleteOrganizationCommand({}))
  await assert.rejects(organizations.send(new DescribeOrganizationCommand({})), {
    name: 'AWSOrganizationsNotInUseException',
  })
})

test('an account that is administrator of a service looks around, and stays while it is', async (context) => {
  const world = await startOrganization(context)
  const { organizations } = world.management
  const dev = await world.createAccount('dev')
  const inside = await world.enter(dev)
  const list = () => inside.organizations.send(new ListAccountsCommand({}))
  await assert.rejects(list(), { name: 'AccessDeniedException' })
  const ServicePrincipal = 'ec2.amazonaws.com'
  const register = (AccountId: string) =>
    organizations.send(new RegisterDelegatedAdministratorCommand({ AccountId, ServicePrincipal }))
  const deregister = () =>
    organizations.send(
      new DeregisterDelegatedAdministratorCommand({ AccountId: dev, ServicePrincipal }),
    )
  const servicesOf = () =>
    organizations.send(new ListDelegatedServicesForAccountCommand({ AccountId: dev }))
  await assert.rejects(deregister(), { name: 'AccountNotRegisteredException' })
  await assert.rejects(servicesOf(), { name: 'AccountNotRegisteredException' })
  await assert.rejects(register('999999999999'), { name: 'AccountNotFoundException' })
  await assert.rejects(register(managementId), {
    name: 'ConstraintViolationException',
    Reason: 'CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR',
  })
  await register(dev)
  await assert.rejects(register(dev), { name: 'AccountAlreadyRegisteredException' })
  assert.equal((await list()).Accounts?.length, 2)
  const { DelegatedAdministrators } = await inside.organizations.send(
    new ListDelegatedAdministratorsCommand({ ServicePrincipal }),
  )
  assert.deepEqual(
    DelegatedAdministrators?.map(({ Id }) => Id),
    [dev],
  )
  const { DelegatedServices } = await servicesOf()
  assert.equal(DelegatedServices?.[0]?.ServicePrincipal, ServicePrincipal)
  await inside.ec2.send(new DescribeDeclarativePoliciesReportsCommand({}))
  // It looks, and changes nothing.
  await assert.rejects(inside.organizations.send(new CloseAccountCommand({ AccountId: dev })), {
    name: 'AccessDeniedException',
  })
  const remove = new RemoveAccountFromOrganizationCommand({ AccountId: dev })
  await assert.rejects(organizations.send(remove), {
    name: 'ConstraintViolationException',
    Reason: 'CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG',
  })
  const trusted = async () => {
    const answer = await organizations.send(new ListAWSServiceAccessForOrganizationCommand({}))
    return answer.EnabledServicePrincipals?.map((one) => one.ServicePrincipal)
  }
  const other = { ServicePrincipal: 'ssm.amazonaws.com' }
  await organizations.send(new EnableAWSServiceAccessCommand(other))
  assert.deepEqual(await trusted(), [ServicePrincipal, other.ServicePrincipal])
  await organizations.send(new DisableAWSServiceAccessCommand(other))
  assert.deepEqual(await trusted(), [ServicePrincipal])
  await deregister()
  await assert.rejects(list(), { name: 'AccessDeniedException' })
  await organizations.send(remove)
})
