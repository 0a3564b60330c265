/**
 * How much the account has of what IAM keeps, and may have.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
 */
import type { GetAccountSummaryResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { policyKinds } from '../../policies/policy.ts'
import { type EntityKind, quotas } from '../entity.ts'
import { listEntities } from '../entity-store.ts'
import { requireAllowed } from '../evaluate.ts'

/** Those that are kept to. */
const quotaNames = {
  AccessKeysPerUserQuota: quotas.AccessKeysPerUser,
  AttachedPoliciesPerGroupQuota: quotas.AttachedPoliciesPerGroup,
  AttachedPoliciesPerRoleQuota: quotas.AttachedPoliciesPerRole,
  AttachedPoliciesPerUserQuota: quotas.AttachedPoliciesPerUser,
  GroupsPerUserQuota: quotas.GroupsPerUser,
  InstanceProfilesQuota: quotas.InstanceProfilesPerAccount,
  VersionsPerPolicyQuota: quotas.VersionsPerPolicy,
  AssumeRolePolicySizeQuota: policyKinds.trust.lengthMax,
  PolicySizeQuota: policyKinds.managed.lengthMax,
}

export const getAccountSummary = readOperation<object, GetAccountSummaryResponse>({
  service: 'iam',
  action: 'GetAccountSummary',
  demands: () => [],

  async run({ db, caller }) {
    requireAllowed(caller, { action: 'iam:GetAccountSummary', resource: '*' })
    const { accountId } = caller
    const count = async (kind: EntityKind) => (await listEntities(db, { accountId, kind })).length
    const SummaryMap = {
      ...quotaNames,
      Users: await count('user'),
      Groups: await count('group'),
      Roles: await count('role'),
      Policies: await count('policy'),
      InstanceProfiles: await count('profile'),
    }
    return { SummaryMap }
  },
})
