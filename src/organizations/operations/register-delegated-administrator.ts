/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html */
import type { RegisterDelegatedAdministratorRequest } from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { checkAccountId } from '../organization.ts'
import { enableService, insertDelegation } from '../service-store.ts'
import { checkServicePrincipal } from '../services.ts'
import { requireManaged, requireMember } from '../standing.ts'

export const registerDelegatedAdministrator = writeOperation<
  RegisterDelegatedAdministratorRequest,
  undefined
>({
  service: 'organizations',
  action: 'RegisterDelegatedAdministrator',

  async run({ tx, input, caller, now }) {
    const accountId = checkAccountId(input.AccountId ?? '')
    const organization = await requireManaged(tx, caller.accountId)
    const organizationId = organization.id
    const principal = checkServicePrincipal(input.ServicePrincipal)
    const member = await requireMember(tx, organization, accountId)
    if (accountId === organization.managementAccountId) {
      throw new ApiError(
        'ConstraintViolationException',
        'You cannot register the management account as a delegated administrator.',
        { reason: 'CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR' },
      )
    }
    if (member.closure) {
      throw new ApiError(
        'ConstraintViolationException',
        'You cannot register a suspended account as a delegated administrator.',
        { reason: 'CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR' },
      )
    }
    await enableService(tx, organizationId, { principal, since: now })
    if (!(await insertDelegation(tx, organizationId, { accountId, principal, since: now }))) {
      throw new ApiError(
        'AccountAlreadyRegisteredException',
        'The specified account is already a delegated administrator for this service.',
      )
    }
    return undefined
  },
})
