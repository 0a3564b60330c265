/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeAccount.html */
import type { DescribeAccountRequest, DescribeAccountResponse } from '@aws-sdk/client-organizations'
import { readOperation } from '../../wire/operation.ts'
import { accountNotFound, checkAccountId } from '../organization.ts'
import { requireViewed } from '../standing.ts'
import { findMember } from '../store.ts'
import { viewMember } from '../view.ts'

export const describeAccount = readOperation<DescribeAccountRequest, DescribeAccountResponse>({
  service: 'organizations',
  action: 'DescribeAccount',

  async run({ db, input, caller }) {
    const accountId = checkAccountId(input.AccountId ?? '')
    const organization = await requireViewed(db, caller.accountId)
    const member = await findMember(db, { organizationId: organization.id, accountId })
    if (!member) throw accountNotFound()
    return { Account: viewMember(organization, member) }
  },
})
