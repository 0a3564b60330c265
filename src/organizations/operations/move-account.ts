/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_MoveAccount.html */
import type { MoveAccountRequest } from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { redeclare } from '../declared.ts'
import { accountNotFound, checkAccountId } from '../organization.ts'
import { requireManaged, requireParent } from '../standing.ts'
import { findMember, moveMember } from '../store.ts'

export const moveAccount = writeOperation<MoveAccountRequest, undefined>({
  service: 'organizations',
  action: 'MoveAccount',

  async run({ tx, input, caller }) {
    const { SourceParentId: from = '', DestinationParentId: to = '' } = input
    const accountId = checkAccountId(input.AccountId ?? '')
    const organization = await requireManaged(tx, caller.accountId)
    const member = await findMember(tx, { organizationId: organization.id, accountId })
    if (!member) throw accountNotFound()
    await requireParent(tx, organization, from, sourceNotFound)
    await requireParent(tx, organization, to, destinationNotFound)
    if (member.parentId === to) {
      throw new ApiError(
        'DuplicateAccountException',
        'That account is already present in the specified destination.',
      )
    }
    if (!(await moveMember(tx, { accountId, from, to }))) throw sourceNotFound()
    await redeclare(tx, organization.id)
    return undefined
  },
})

const sourceNotFound = (): ApiError =>
  new ApiError(
    'SourceParentNotFoundException',
    "You specified a source parent that doesn't exist, or that the account is not in.",
  )

const destinationNotFound = (): ApiError =>
  new ApiError(
    'DestinationParentNotFoundException',
    "You specified a destination parent that doesn't exist.",
  )
