/** For tests: an organization with a unit, an account in it, and clients of both sides. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { EC2Client } from '@aws-sdk/client-ec2'
import { IAMClient } from '@aws-sdk/client-iam'
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationalUnitCommand,
  CreateOrganizationCommand,
  CreatePolicyCommand,
  DescribeCreateAccountStatusCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  MoveAccountCommand,
  OrganizationsClient,
  type PolicyType,
} from '@aws-sdk/client-organizations'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import type { databases } from './databases.ts'
import { type ClientOptions, startSystem } from './system.ts'

export const usualRole = 'OrganizationAccountAccessRole'

export async function startOrganization(
  context: Pick<TestContext, 'after'>,
  database: keyof typeof databases = 'sqlite',
) {
  const system = await startSystem(context, { database })
  const closing = <T extends { destroy(): void }>(client: T): T => {
    context.after(() => client.destroy())
    return client
  }
  const clientsOf = (options?: ClientOptions) => {
    const settings = system.settingsWith(options)
    return {
      ec2: closing(new EC2Client(settings)),
      iam: closing(new IAMClient(settings)),
      sts: closing(new STSClient(settings)),
      organizations: closing(new OrganizationsClient(settings)),
    }
  }
  const management = clientsOf()
  const { organizations, sts } = management
  await organizations.send(new CreateOrganizationCommand({}))
  const { Roots } = await organizations.send(new ListRootsCommand({}))
  const root = Roots?.[0]?.Id ?? ''
  const createUnit = async (Name: string, ParentId = root) => {
    const made = await organizations.send(new CreateOrganizationalUnitCommand({ Name, ParentId }))
    assert(made.OrganizationalUnit?.Id)
    return made.OrganizationalUnit.Id
  }
  const createAccount = async (AccountName: string, more: { readonly RoleName?: string } = {}) => {
    const input = { AccountName, Email: `${AccountName}@example.com`, ...more }
    const asked = await organizations.send(new CreateAccountCommand(input))
    const id = asked.CreateAccountStatus?.Id
    return await system.until('an account', async () => {
      const request = new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: id })
      return (await organizations.send(request)).CreateAccountStatus?.AccountId
    })
  }
  /** The clients of one who has come into an account by the role that the management account may take. */
  const enter = async (accountId: string, roleName = usualRole) => {
    const RoleArn = `arn:aws:iam::${accountId}:role/${roleName}`
    const taken = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'admin' }))
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = taken.Credentials ?? {}
    return clientsOf({ id: AccessKeyId, secret: SecretAccessKey, token: SessionToken })
  }
  const move = async (AccountId: string, SourceParentId: string, DestinationParentId: string) => {
    const input = { AccountId, SourceParentId, DestinationParentId }
    await organizations.send(new MoveAccountCommand(input))
  }
  const enable = (type: PolicyType) =>
    organizations.send(new EnablePolicyTypeCommand({ RootId: root, PolicyType: type }))
  const createPolicy = async (Type: PolicyType, Name: string, content: object) => {
    const input = { Type, Name, Description: 'for a test', Content: JSON.stringify(content) }
    const { Policy } = await organizations.send(new CreatePolicyCommand(input))
    assert(Policy?.PolicySummary?.Id)
    return Policy.PolicySummary.Id
  }
  const attach = async (PolicyId: string, TargetId: string) => {
    await organizations.send(new AttachPolicyCommand({ PolicyId, TargetId }))
  }
  return {
    system,
    root,
    management,
    clientsOf,
    createUnit,
    createAccount,
    createPolicy,
    enter,
    enable,
    attach,
    move,
  }
}
