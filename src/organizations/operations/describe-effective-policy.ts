/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeEffectivePolicy.html */
import type {
  DescribeEffectivePolicyRequest,
  DescribeEffectivePolicyResponse,
} from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { readOperation } from '../../wire/operation.ts'
import { findEffective } from '../declared.ts'
import { checkAccountId } from '../organization.ts'
import { readPolicyType } from '../policy.ts'
import { requireViewed, requireOrganization } from '../standing.ts'
import { findTarget, targetNotFound } from '../target.ts'

export const describeEffectivePolicy = readOperation<
  DescribeEffectivePolicyRequest,
  DescribeEffectivePolicyResponse
>({
  service: 'organizations',
  action: 'DescribeEffectivePolicy',

  async run({ db, input, caller }) {
    const { TargetId = caller.accountId } = input
    const organization = await requireOrganization(db, caller.accountId)
    const accountId = checkAccountId(TargetId)
    if (accountId !== caller.accountId) {
      await requireViewed(db, caller.accountId)
      if (!(await findTarget(db, organization, accountId))) throw targetNotFound()
    }
    const type = readPolicyType(input.PolicyType)
    if (type !== 'DECLARATIVE_POLICY_EC2') {
      throw new ApiError(
        'InvalidInputException',
        `There is no effective policy of the type ${type}.`,
        {
          reason: 'INVALID_ENUM_POLICY_TYPE',
        },
      )
    }
    const effective = await findEffective(db, accountId)
    if (!effective) {
      throw new ApiError(
        'EffectivePolicyNotFoundException',
        'The account has no effective policy of this type, or the type is not enabled.',
      )
    }
    return {
      EffectivePolicy: {
        PolicyContent: JSON.stringify(effective.tree),
        LastUpdatedTimestamp: effective.changedAt,
        TargetId: accountId,
        PolicyType: type,
      },
    }
  },
})
