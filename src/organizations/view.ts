/** Organizations and what is in them as AWS answers them. */
import type {
  Account,
  CreateAccountFailureReason,
  CreateAccountStatus,
  Organization as OrganizationOutput,
  OrganizationalUnit,
  Root,
} from '@aws-sdk/client-organizations'
import {
  accountArn,
  type AccountRequest,
  emailOfManagement,
  type Member,
  type Organization,
  organizationArn,
  rootArn,
  type Unit,
  unitArn,
} from './organization.ts'

export function viewOrganization(organization: Organization): OrganizationOutput {
  const { id, managementAccountId, featureSet } = organization
  return {
    Id: id,
    Arn: organizationArn(organization),
    FeatureSet: featureSet,
    MasterAccountId: managementAccountId,
    MasterAccountArn: accountArn(organization, managementAccountId),
    MasterAccountEmail: emailOfManagement(managementAccountId),
    AvailablePolicyTypes: [],
  }
}

export function viewRoot(organization: Organization): Root {
  return {
    Id: organization.rootId,
    Arn: rootArn(organization),
    Name: 'Root',
    PolicyTypes: [],
  }
}

export function viewUnit(organization: Organization, unit: Unit): OrganizationalUnit {
  return { Id: unit.id, Arn: unitArn(organization, unit.id), Name: unit.name }
}

export function viewMember(organization: Organization, member: Member): Account {
  return {
    Id: member.accountId,
    Arn: accountArn(organization, member.accountId),
    Email: member.email,
    Name: member.name,
    Status: 'ACTIVE',
    State: 'ACTIVE',
    JoinedMethod: member.joinedMethod,
    JoinedTimestamp: member.joinedAt,
  }
}

export function viewRequest(request: AccountRequest): CreateAccountStatus {
  const { outcome } = request
  return {
    Id: request.id,
    AccountName: request.accountName,
    RequestedTimestamp: request.requestedAt,
    CompletedTimestamp: request.completedAt,
    ...('accountId' in outcome
      ? { State: 'SUCCEEDED', AccountId: outcome.accountId }
      : { State: 'FAILED', FailureReason: outcome.failureReason as CreateAccountFailureReason }),
  }
}
