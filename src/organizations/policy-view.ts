/** Policies of an organization as AWS answers them. */
import type { Policy, PolicySummary } from '@aws-sdk/client-organizations'
import type { Organization } from './organization.ts'
import { isManaged, type OrganizationPolicy } from './policy.ts'

/** That of AWS belongs to no account. */
export function policyArn(
  { id, managementAccountId }: Pick<Organization, 'id' | 'managementAccountId'>,
  policy: Pick<OrganizationPolicy, 'id' | 'type'>,
): string {
  const path = `${policy.type.toLowerCase()}/${policy.id}`
  if (isManaged(policy)) return `arn:aws:organizations::aws:policy/${path}`
  return `arn:aws:organizations::${managementAccountId}:policy/${id}/${path}`
}

export function viewSummary(organization: Organization, policy: OrganizationPolicy): PolicySummary {
  return {
    Id: policy.id,
    Arn: policyArn(organization, policy),
    Name: policy.name,
    Description: policy.description,
    Type: policy.type,
    AwsManaged: isManaged(policy),
  }
}

export function viewPolicy(organization: Organization, policy: OrganizationPolicy): Policy {
  return { PolicySummary: viewSummary(organization, policy), Content: policy.content }
}
