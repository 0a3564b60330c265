/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_CloseAccount.html */
import type { CloseAccountRequest } from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { requireStoppable } from '../close.ts'
import { checkAccountId } from '../organization.ts'
import { requireManaged, requireMember } from '../standing.ts'
import { setClosure } from '../store.ts'

export const closeAccount = writeOperation<CloseAccountRequest, undefined>({
  service: 'organizations',
  action: 'CloseAccount',

  async run({ tx, input, caller }) {
    const accountId = checkAccountId(input.AccountId ?? '')
    const organization = await requireManaged(tx, caller.accountId)
    const member = await requireMember(tx, organization, accountId)
    if (accountId === organization.managementAccountId) {
      throw new ApiError(
        'ConstraintViolationException',
        'You attempted to close the management account.',
        { reason: 'CANNOT_CLOSE_MANAGEMENT_ACCOUNT' },
      )
    }
    if (member.closure) throw alreadyClosed()
    await requireStoppable(tx, accountId)
    if (!(await setClosure(tx, accountId, { from: undefined, to: 'pending' })))
      throw alreadyClosed()
    return undefined
  },
})

const alreadyClosed = (): ApiError =>
  new ApiError(
    'AccountAlreadyClosedException',
    'You attempted to close an account that is already closed.',
  )
