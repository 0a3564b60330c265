/** Organizations and what is in them as AWS answers them. */
import type {
  Account,
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
import type { PolicyType } from './policy.ts'

export function viewOrganization(organization: Organization): OrganizationOutput {
  const { id, managementAccountId, featureSet } = organization
  return {
    Id: id,
    Arn: organizationArn(organization),
    FeatureSet: featureSet,
    MasterAccountId: managementAccountId,
    MasterAccountArn: accountArn(organization, managementAccountId),
    MasterAccountEmail: emailOfManagement(managementAccountId),
    // What AWS answers whatever is in use; the root says that.
    AvailablePolicyTypes:
      featureSet === 'ALL' ? [{ Type: 'SERVICE_CONTROL_POLICY', Status: 'ENABLED' }] : [],
  }
}

export function viewRoot(organization: Organization, inUse: readonly PolicyType[]): Root {
  return {
    Id: organization.rootId,
    Arn: rootArn(organization),
    Name: 'Root',
    PolicyTypes: inUse.map((Type) => ({ Type, Status: 'ENABLED' })),
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
    Status: member.closure ? stateOfClosure[member.closure] : 'ACTIVE',
    State: member.closure ? stateOfClosure[member.closure] : 'ACTIVE',
    JoinedMethod: member.joinedMethod,
    JoinedTimestamp: member.joinedAt,
  }
}

export function viewRequest(request: AccountRequest): CreateAccountStatus {
  const { outcome } = request
  const asked = {
    Id: request.id,
    AccountName: request.accountName,
    RequestedTimestamp: request.requestedAt,
  }
  if (!outcome) return { ...asked, State: 'IN_PROGRESS' }
  const completed = { ...asked, CompletedTimestamp: outcome.completedAt }
  return 'accountId' in outcome
    ? { ...completed, State: 'SUCCEEDED', AccountId: outcome.accountId }
    : { ...completed, State: 'FAILED', FailureReason: outcome.failureReason }
}

const stateOfClosure = { pending: 'PENDING_CLOSURE', done: 'SUSPENDED' } as const
