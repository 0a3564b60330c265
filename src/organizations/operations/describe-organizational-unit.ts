/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganizationalUnit.html */
import type {
  DescribeOrganizationalUnitRequest,
  DescribeOrganizationalUnitResponse,
} from '@aws-sdk/client-organizations'
import { readOperation } from '../../wire/operation.ts'
import { requireViewed, requireUnit } from '../standing.ts'
import { viewUnit } from '../view.ts'

export const describeOrganizationalUnit = readOperation<
  DescribeOrganizationalUnitRequest,
  DescribeOrganizationalUnitResponse
>({
  service: 'organizations',
  action: 'DescribeOrganizationalUnit',

  async run({ db, input, caller }) {
    const organization = await requireViewed(db, caller.accountId)
    const unit = await requireUnit(db, organization, input.OrganizationalUnitId ?? '')
    return { OrganizationalUnit: viewUnit(organization, unit) }
  },
})
