/** The services beside EC2: their clients, and a request of each action that is right in form. */
import * as organizations from '@aws-sdk/client-organizations'
import * as ssm from '@aws-sdk/client-ssm'
import type { ServiceName } from '../src/wire/codec.ts'
import { RbinClient, rbinCommands } from './rbin-sdk.ts'
import type { ClientSettings } from './system.ts'

export type OtherService = Exclude<ServiceName, 'ec2' | 'sts'>

interface AnyClient {
  send(command: object): Promise<unknown>
  destroy(): void
}

interface Other {
  readonly commands: Readonly<Record<string, unknown>>
  readonly make: (settings: ClientSettings) => AnyClient
  /** What the SDK calls the refusal of one who has no policy, and that of a wrong signature. */
  readonly denied: string
  readonly forged: string
  readonly samples: Readonly<Record<string, object>>
}

const words = { denied: 'AccessDeniedException', forged: 'InvalidSignatureException' } as const
const AccountId = '222222222222'
const ParentId = 'r-abcd'
const Identifier = 'abcdefghijk'
const ResourceArn = `arn:aws:rbin:us-east-1:123456789012:rule/${Identifier}`
const Labels = ['prod']
const Name = '/a/parameter'
const ofParameter = { ResourceType: 'Parameter', ResourceId: Name } as const

export const others: Readonly<Record<OtherService, Other>> = {
  ssm: {
    ...words,
    commands: { ...ssm },
    make: (settings) => new ssm.SSMClient(settings) as unknown as AnyClient,
    samples: {
      AddTagsToResource: { ...ofParameter, Tags: [{ Key: 'a', Value: 'b' }] },
      DeleteParameter: { Name },
      DeleteParameters: { Names: [Name] },
      DescribeParameters: {},
      GetParameter: { Name },
      GetParameterHistory: { Name },
      GetParameters: { Names: [Name] },
      GetParametersByPath: { Path: '/a' },
      LabelParameterVersion: { Name, Labels },
      ListTagsForResource: ofParameter,
      PutParameter: { Name: '/another', Value: 'x', Type: 'String' },
      RemoveTagsFromResource: { ...ofParameter, TagKeys: ['a'] },
      UnlabelParameterVersion: { Name, Labels, ParameterVersion: 1 },
    },
  },
  organizations: {
    ...words,
    commands: { ...organizations },
    make: (settings) => new organizations.OrganizationsClient(settings) as unknown as AnyClient,
    samples: {
      CreateAccount: { AccountName: 'two', Email: 'two@example.com' },
      CreateOrganization: {},
      CreateOrganizationalUnit: { ParentId, Name: 'a unit' },
      DescribeAccount: { AccountId },
      DescribeCreateAccountStatus: { CreateAccountRequestId: `car-${'0'.repeat(32)}` },
      DescribeOrganization: {},
      DescribeOrganizationalUnit: { OrganizationalUnitId: 'ou-abcd-abcdefgh' },
      ListAccounts: {},
      ListAccountsForParent: { ParentId },
      ListOrganizationalUnitsForParent: { ParentId },
      ListParents: { ChildId: AccountId },
      ListRoots: {},
      MoveAccount: { AccountId, SourceParentId: ParentId, DestinationParentId: 'r-efgh' },
    },
  },
  rbin: {
    ...words,
    commands: rbinCommands,
    make: (settings) => new RbinClient(settings) as unknown as AnyClient,
    samples: {
      CreateRule: {
        ResourceType: 'EC2_IMAGE',
        RetentionPeriod: { RetentionPeriodValue: 1, RetentionPeriodUnit: 'DAYS' },
      },
      DeleteRule: { Identifier },
      GetRule: { Identifier },
      ListRules: { ResourceType: 'EC2_IMAGE' },
      ListTagsForResource: { ResourceArn },
      LockRule: {
        Identifier,
        LockConfiguration: { UnlockDelay: { UnlockDelayValue: 7, UnlockDelayUnit: 'DAYS' } },
      },
      TagResource: { ResourceArn, Tags: [{ Key: 'a', Value: 'b' }] },
      UnlockRule: { Identifier },
      UntagResource: { ResourceArn, TagKeys: ['a'] },
      UpdateRule: { Identifier, Description: 'better' },
    },
  },
}
