/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_DeregisterDelegatedAdministrator.html */
import type { DeregisterDelegatedAdministratorRequest } from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { checkAccountId } from '../organization.ts'
import { deleteDelegation } from '../service-store.ts'
import { checkServicePrincipal } from '../services.ts'
import { requireManaged, requireMember } from '../standing.ts'

export const deregisterDelegatedAdministrator = writeOperation<
  DeregisterDelegatedAdministratorRequest,
  undefined
>({
  service: 'organizations',
  action: 'DeregisterDelegatedAdministrator',

  async run({ tx, input, caller }) {
    const accountId = checkAccountId(input.AccountId ?? '')
    const organization = await requireManaged(tx, caller.accountId)
    const principal = checkServicePrincipal(input.ServicePrincipal)
    await requireMember(tx, organization, accountId)
    if (!(await deleteDelegation(tx, { accountId, principal }))) {
      throw new ApiError(
        'AccountNotRegisteredException',
        'The specified account is not a delegated administrator for this service.',
      )
    }
    return undefined
  },
})
