/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_RemoveAccountFromOrganization.html */
import type { RemoveAccountFromOrganizationRequest } from '@aws-sdk/client-organizations'

import { writeOperation } from '../../wire/operation.ts'
import { leave } from '../leave.ts'
import { checkAccountId } from '../organization.ts'
import { requireManaged, requireMember } from '../standing.ts'

export const removeAccountFromOrganization = writeOperation<
  RemoveAccountFromOrganizationRequest,
  undefined
>({
  service: 'organizations',
  action: 'RemoveAccountFromOrganization',

  async run({ tx, input, caller }) {
    const accountId = checkAccountId(input.AccountId ?? '')
    const organization = await requireManaged(tx, caller.accountId)
    const member = await requireMember(tx, organization, accountId)
    await leave(tx, organization, member)
    return undefined
  },
})
