/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_LeaveOrganization.html */

import { writeOperation } from '../../wire/operation.ts'
import { leave } from '../leave.ts'
import { locked, requireMember, requireOrganization } from '../standing.ts'

export const leaveOrganization = writeOperation<object, undefined>({
  service: 'organizations',
  action: 'LeaveOrganization',

  async run({ tx, caller }) {
    const organization = await locked(tx, await requireOrganization(tx, caller.accountId))
    await leave(tx, organization, await requireMember(tx, organization, caller.accountId))
    return undefined
  },
})
