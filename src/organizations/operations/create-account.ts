/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html */
import type { CreateAccountRequest, CreateAccountResponse } from '@aws-sdk/client-organizations'
import { insertAccount } from '../../iam/store.ts'
import { unsupportedParameter } from '../../lib/errors.ts'
import { ensureDefaultNetwork } from '../../network/defaults.ts'
import { type WriteCall, writeOperation } from '../../wire/operation.ts'
import {
  type AccountRequest,
  checkLength,
  invalidInput,
  newAccountId,
  newRequestId,
  type Organization,
} from '../organization.ts'
import { requireManaged } from '../standing.ts'
import { insertAccountRequest, insertMember, listMembers } from '../store.ts'
import { viewRequest } from '../view.ts'

type Call = WriteCall<CreateAccountRequest>

const nameLengthMax = 50
const emailLengthMax = 64

export const createAccount = writeOperation<CreateAccountRequest, CreateAccountResponse>({
  service: 'organizations',
  action: 'CreateAccount',

  async run(call) {
    const { tx, input, caller, now, randomBytes } = call
    if (input.Tags && input.Tags.length > 0) throw unsupportedParameter('Tags')
    const name = checkLength(input.AccountName ?? '', 'AccountName', nameLengthMax)
    const email = checkLength(input.Email ?? '', 'Email', emailLengthMax)
    if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))
      throw invalidInput('You specified an email address that is not valid.')
    const organization = await requireManaged(tx, caller.accountId)
    const members = await listMembers(tx, { organizationId: organization.id })
    const isTaken = members.some((member) => member.email.toLowerCase() === email.toLowerCase())
    const request: AccountRequest = {
      id: newRequestId(randomBytes(16)),
      organizationId: organization.id,
      accountName: name,
      // AWS says so only when one asks what came of it.
      outcome: isTaken
        ? { failureReason: 'EMAIL_ALREADY_EXISTS' }
        : { accountId: await open(call, organization, { name, email }) },
      requestedAt: now,
      completedAt: now,
    }
    await insertAccountRequest(tx, request)
    return { CreateAccountStatus: viewRequest(request) }
  },
})

/** Makes an account of this installation, with the network that each has, and puts it under the root. */
async function open(
  { tx, now, regions, newId, randomBytes }: Call,
  organization: Organization,
  { name, email }: { readonly name: string; readonly email: string },
): Promise<string> {
  const accountId = newAccountId(randomBytes(8))
  await insertAccount(tx, { id: accountId, name, alias: undefined }, now)
  for (const region of regions) await ensureDefaultNetwork(tx, { accountId, region, newId, now })
  await insertMember(tx, {
    accountId,
    organizationId: organization.id,
    parentId: organization.rootId,
    name,
    email,
    joinedMethod: 'CREATED',
    joinedAt: now,
  })
  return accountId
}
