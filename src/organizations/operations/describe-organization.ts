/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html */
import type { DescribeOrganizationResponse } from '@aws-sdk/client-organizations'
import { readOperation } from '../../wire/operation.ts'
import { requireOrganization } from '../standing.ts'
import { viewOrganization } from '../view.ts'

export const describeOrganization = readOperation<object, DescribeOrganizationResponse>({
  service: 'organizations',
  action: 'DescribeOrganization',

  async run({ db, caller }) {
    return { Organization: viewOrganization(await requireOrganization(db, caller.accountId)) }
  },
})
