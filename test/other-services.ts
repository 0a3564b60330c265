/** The services beside EC2: their clients, and a request of each action that is right in form. */
import * as cloudtrail from '@aws-sdk/client-cloudtrail'
import * as ebs from '@aws-sdk/client-ebs'
import * as iam from '@aws-sdk/client-iam'
import * as kms from '@aws-sdk/client-kms'
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
const UserName = 'somebody'
const RoleName = 'builder'
const AssumeRolePolicyDocument = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '123456789012' } },
})
const GroupName = 'some'
const InstanceProfileName = 'of-builders'
const AccessKeyId = 'AKIA0000000000000000'
const ActionNames = ['ec2:RunInstances']
const PolicySourceArn = 'arn:aws:iam::123456789012:user/somebody'
const PolicyArn = 'arn:aws:iam::123456789012:policy/a-policy'
const PolicyName = 'a-policy'
const PolicyDocument = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
})
const AccountId = '222222222222'
const ParentId = 'r-abcd'
const OrganizationalUnitId = 'ou-abcd-abcdefgh'
const ServicePrincipal = 'ec2.amazonaws.com'
const OrganizationPolicyId = 'p-abcdefgh'
const ofPolicy = { Type: 'SERVICE_CONTROL_POLICY' } as const
const Identifier = 'abcdefghijk'
const ResourceArn = `arn:aws:rbin:us-east-1:123456789012:rule/${Identifier}`
const Labels = ['prod']
const Name = '/a/parameter'
const ofParameter = { ResourceType: 'Parameter', ResourceId: Name } as const

const SnapshotId = 'snap-0123456789abcdef0'
const BlockIndex = 0

const KeyId = '01234567-89ab-4cde-8f01-23456789abcd'
const DestinationKeyId = 'fedcba98-89ab-4cde-8f01-23456789abcd'
const CiphertextBlob = Buffer.alloc(100)
const AliasName = 'alias/of-a-key'

export const others: Readonly<Record<OtherService, Other>> = {
  cloudtrail: {
    ...words,
    commands: { ...cloudtrail },
    make: (settings) => new cloudtrail.CloudTrailClient(settings) as unknown as AnyClient,
    samples: { LookupEvents: {} },
  },
  ebs: {
    ...words,
    commands: { ...ebs },
    make: (settings) => new ebs.EBSClient(settings) as unknown as AnyClient,
    samples: {
      CompleteSnapshot: { SnapshotId, ChangedBlocksCount: 1 },
      GetSnapshotBlock: { SnapshotId, BlockIndex, BlockToken: 'AAAA' },
      ListChangedBlocks: { FirstSnapshotId: SnapshotId, SecondSnapshotId: SnapshotId },
      ListSnapshotBlocks: { SnapshotId },
      PutSnapshotBlock: {
        SnapshotId,
        BlockIndex,
        BlockData: Buffer.alloc(512 * 1024),
        DataLength: 512 * 1024,
        Checksum: 'AAAA',
        ChecksumAlgorithm: 'SHA256',
      },
      StartSnapshot: { VolumeSize: 1 },
    },
  },
  iam: {
    denied: 'AccessDenied',
    forged: 'SignatureDoesNotMatch',
    commands: { ...iam },
    make: (settings) => new iam.IAMClient(settings) as unknown as AnyClient,
    samples: {
      AddRoleToInstanceProfile: { InstanceProfileName, RoleName },
      CreateInstanceProfile: { InstanceProfileName: 'another' },
      DeleteInstanceProfile: { InstanceProfileName },
      GetInstanceProfile: { InstanceProfileName },
      ListInstanceProfileTags: { InstanceProfileName },
      ListInstanceProfiles: {},
      ListInstanceProfilesForRole: { RoleName },
      RemoveRoleFromInstanceProfile: { InstanceProfileName, RoleName },
      TagInstanceProfile: { InstanceProfileName, Tags: [{ Key: 'a', Value: 'b' }] },
      UntagInstanceProfile: { InstanceProfileName, TagKeys: ['a'] },
      AddUserToGroup: { UserName, GroupName },
      AttachGroupPolicy: { GroupName, PolicyArn },
      CreateGroup: { GroupName: 'others' },
      DeleteGroup: { GroupName },
      DeleteGroupPolicy: { GroupName, PolicyName },
      DetachGroupPolicy: { GroupName, PolicyArn },
      GetGroup: { GroupName },
      GetGroupPolicy: { GroupName, PolicyName },
      ListAttachedGroupPolicies: { GroupName },
      ListGroupPolicies: { GroupName },
      ListGroups: {},
      ListGroupsForUser: { UserName },
      PutGroupPolicy: { GroupName, PolicyName, PolicyDocument },
      RemoveUserFromGroup: { UserName, GroupName },
      UpdateGroup: { GroupName, NewGroupName: 'better' },
      AttachRolePolicy: { RoleName, PolicyArn },
      CreateRole: { RoleName: 'another', AssumeRolePolicyDocument },
      DeleteRole: { RoleName },
      DeleteRolePermissionsBoundary: { RoleName },
      DeleteRolePolicy: { RoleName, PolicyName },
      DetachRolePolicy: { RoleName, PolicyArn },
      GetRole: { RoleName },
      GetRolePolicy: { RoleName, PolicyName },
      ListAttachedRolePolicies: { RoleName },
      ListRolePolicies: { RoleName },
      ListRoles: {},
      PutRolePermissionsBoundary: { RoleName, PermissionsBoundary: PolicyArn },
      PutRolePolicy: { RoleName, PolicyName, PolicyDocument },
      UpdateAssumeRolePolicy: { RoleName, PolicyDocument: AssumeRolePolicyDocument },
      UpdateRole: { RoleName, Description: 'better' },
      GetAccountSummary: {},
      CreateLoginProfile: { UserName, Password: 'correct-Horse-7' },
      DeleteLoginProfile: { UserName },
      GetLoginProfile: { UserName },
      UpdateLoginProfile: { UserName, PasswordResetRequired: false },
      GetContextKeysForCustomPolicy: { PolicyInputList: [PolicyDocument] },
      GetContextKeysForPrincipalPolicy: { PolicySourceArn },
      SimulateCustomPolicy: { PolicyInputList: [PolicyDocument], ActionNames },
      SimulatePrincipalPolicy: { PolicySourceArn, ActionNames },
      ListEntitiesForPolicy: { PolicyArn },
      ListPolicyTags: { PolicyArn },
      ListRoleTags: { RoleName },
      ListUserTags: { UserName },
      TagPolicy: { PolicyArn, Tags: [{ Key: 'a', Value: 'b' }] },
      TagRole: { RoleName, Tags: [{ Key: 'a', Value: 'b' }] },
      TagUser: { UserName, Tags: [{ Key: 'a', Value: 'b' }] },
      UntagPolicy: { PolicyArn, TagKeys: ['a'] },
      UntagRole: { RoleName, TagKeys: ['a'] },
      UntagUser: { UserName, TagKeys: ['a'] },
      AttachUserPolicy: { UserName, PolicyArn },
      CreatePolicy: { PolicyName: 'another', PolicyDocument },
      CreatePolicyVersion: { PolicyArn, PolicyDocument },
      DeletePolicy: { PolicyArn },
      DeletePolicyVersion: { PolicyArn, VersionId: 'v1' },
      DeleteUserPermissionsBoundary: { UserName },
      DeleteUserPolicy: { UserName, PolicyName },
      DetachUserPolicy: { UserName, PolicyArn },
      GetPolicy: { PolicyArn },
      GetPolicyVersion: { PolicyArn, VersionId: 'v1' },
      GetUserPolicy: { UserName, PolicyName },
      ListAttachedUserPolicies: { UserName },
      ListPolicies: {},
      ListPolicyVersions: { PolicyArn },
      ListUserPolicies: { UserName },
      PutUserPermissionsBoundary: { UserName, PermissionsBoundary: PolicyArn },
      PutUserPolicy: { UserName, PolicyName, PolicyDocument },
      SetDefaultPolicyVersion: { PolicyArn, VersionId: 'v1' },
      CreateAccessKey: { UserName },
      CreateUser: { UserName: 'another' },
      DeleteAccessKey: { UserName, AccessKeyId },
      DeleteUser: { UserName },
      GetAccessKeyLastUsed: { AccessKeyId },
      GetUser: { UserName },
      ListAccessKeys: { UserName },
      ListUsers: {},
      UpdateAccessKey: { UserName, AccessKeyId, Status: 'Inactive' },
      UpdateUser: { UserName, NewUserName: 'better' },
    },
  },
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
  kms: {
    ...words,
    commands: { ...kms },
    make: (settings) => new kms.KMSClient(settings) as unknown as AnyClient,
    samples: {
      CancelKeyDeletion: { KeyId },
      CreateAlias: { AliasName, TargetKeyId: KeyId },
      CreateKey: {},
      Decrypt: { KeyId, CiphertextBlob },
      DeleteAlias: { AliasName },
      DescribeKey: { KeyId },
      DisableKey: { KeyId },
      EnableKey: { KeyId },
      Encrypt: { KeyId, Plaintext: Buffer.from('a secret') },
      GenerateDataKey: { KeyId, KeySpec: 'AES_256' },
      GenerateDataKeyWithoutPlaintext: { KeyId, KeySpec: 'AES_256' },
      GetKeyPolicy: { KeyId },
      GetKeyRotationStatus: { KeyId },
      ListKeyPolicies: { KeyId },
      PutKeyPolicy: { KeyId, Policy: '{}' },
      ListAliases: {},
      ListKeys: {},
      ListResourceTags: { KeyId },
      ReEncrypt: { SourceKeyId: KeyId, CiphertextBlob, DestinationKeyId },
      ScheduleKeyDeletion: { KeyId },
      TagResource: { KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] },
      UntagResource: { KeyId, TagKeys: ['a'] },
      UpdateAlias: { AliasName, TargetKeyId: KeyId },
      UpdateKeyDescription: { KeyId, Description: 'better' },
    },
  },
  organizations: {
    ...words,
    commands: { ...organizations },
    make: (settings) => new organizations.OrganizationsClient(settings) as unknown as AnyClient,
    samples: {
      AttachPolicy: { PolicyId: OrganizationPolicyId, TargetId: AccountId },
      CloseAccount: { AccountId },
      CreateAccount: { AccountName: 'two', Email: 'two@example.com' },
      CreateOrganization: {},
      CreateOrganizationalUnit: { ParentId, Name: 'a unit' },
      CreatePolicy: { ...ofPolicy, Name: 'a policy', Description: '', Content: PolicyDocument },
      DeleteOrganization: {},
      DeleteOrganizationalUnit: { OrganizationalUnitId },
      DeletePolicy: { PolicyId: OrganizationPolicyId },
      DeregisterDelegatedAdministrator: { AccountId, ServicePrincipal },
      DescribeAccount: { AccountId },
      DescribeCreateAccountStatus: { CreateAccountRequestId: `car-${'0'.repeat(32)}` },
      DescribeEffectivePolicy: { PolicyType: 'DECLARATIVE_POLICY_EC2' },
      DescribeOrganization: {},
      DescribeOrganizationalUnit: { OrganizationalUnitId },
      DescribePolicy: { PolicyId: OrganizationPolicyId },
      DetachPolicy: { PolicyId: OrganizationPolicyId, TargetId: AccountId },
      DisableAWSServiceAccess: { ServicePrincipal },
      DisablePolicyType: { RootId: ParentId, PolicyType: ofPolicy.Type },
      EnableAWSServiceAccess: { ServicePrincipal },
      EnablePolicyType: { RootId: ParentId, PolicyType: ofPolicy.Type },
      LeaveOrganization: {},
      ListAWSServiceAccessForOrganization: {},
      ListAccounts: {},
      ListAccountsForParent: { ParentId },
      ListChildren: { ParentId, ChildType: 'ACCOUNT' },
      ListCreateAccountStatus: {},
      ListDelegatedAdministrators: {},
      ListDelegatedServicesForAccount: { AccountId },
      ListOrganizationalUnitsForParent: { ParentId },
      ListParents: { ChildId: AccountId },
      ListPolicies: { Filter: ofPolicy.Type },
      ListPoliciesForTarget: { Filter: ofPolicy.Type, TargetId: AccountId },
      ListRoots: {},
      ListTagsForResource: { ResourceId: AccountId },
      ListTargetsForPolicy: { PolicyId: OrganizationPolicyId },
      MoveAccount: { AccountId, SourceParentId: ParentId, DestinationParentId: 'r-efgh' },
      RegisterDelegatedAdministrator: { AccountId, ServicePrincipal },
      RemoveAccountFromOrganization: { AccountId },
      TagResource: { ResourceId: AccountId, Tags: [{ Key: 'a', Value: 'b' }] },
      UntagResource: { ResourceId: AccountId, TagKeys: ['a'] },
      UpdateOrganizationalUnit: { OrganizationalUnitId, Name: 'better' },
      UpdatePolicy: { PolicyId: OrganizationPolicyId, Name: 'better' },
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
