/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html */
import type { CreateAccountRequest, CreateAccountResponse } from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { type AccountRequest, checkLength, invalidInput, newRequestId } from '../organization.ts'
import { insertAccountRequest } from '../request-store.ts'
import { readResourceTags } from '../resource-tags.ts'
import { requireManaged } from '../standing.ts'
import { viewRequest } from '../view.ts'

const nameLengthMax = 50
const emailLengthMax = 64
const roleNameUsual = 'OrganizationAccountAccessRole'

export const createAccount = writeOperation<CreateAccountRequest, CreateAccountResponse>({
  service: 'organizations',
  action: 'CreateAccount',

  async run({ tx, input, caller, now, randomBytes }) {
    const name = checkLength(input.AccountName ?? '', 'AccountName', nameLengthMax)
    const email = checkLength(input.Email ?? '', 'Email', emailLengthMax)
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) {
      throw invalidInput('You specified an email address that is not valid.')
    }
    const { RoleName: roleName = roleNameUsual, IamUserAccessToBilling = 'ALLOW' } = input
    if (!/^[\w+=,.@-]{1,64}$/.test(roleName)) {
      throw new ApiError('InvalidInputException', 'You provided a role name that is not valid.', {
        reason: 'INVALID_ROLE_NAME',
      })
    }
    // There are no bills here that anybody could look at.
    if (IamUserAccessToBilling !== 'ALLOW' && IamUserAccessToBilling !== 'DENY') {
      throw new ApiError('InvalidInputException', 'IamUserAccessToBilling must be ALLOW or DENY.', {
        reason: 'INVALID_ENUM',
      })
    }
    const tags = readResourceTags(input.Tags)
    const organization = await requireManaged(tx, caller.accountId)
    const request: AccountRequest = {
      id: newRequestId(randomBytes(16)),
      organizationId: organization.id,
      accountName: name,
      email,
      roleName,
      tags,
      requestedAt: now,
      outcome: undefined,
    }
    await insertAccountRequest(tx, request)
    return { CreateAccountStatus: viewRequest(request) }
  },
})
