/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_DisableAWSServiceAccess.html */
import type { DisableAWSServiceAccessRequest } from '@aws-sdk/client-organizations'

import { writeOperation } from '../../wire/operation.ts'
import { disableService } from '../service-store.ts'
import { checkServicePrincipal } from '../services.ts'
import { requireManaged } from '../standing.ts'

export const disableServiceAccess = writeOperation<DisableAWSServiceAccessRequest, undefined>({
  service: 'organizations',
  action: 'DisableAWSServiceAccess',

  async run({ tx, input, caller }) {
    const organization = await requireManaged(tx, caller.accountId)
    const principal = checkServicePrincipal(input.ServicePrincipal)
    await disableService(tx, organization.id, principal)
    return undefined
  },
})
