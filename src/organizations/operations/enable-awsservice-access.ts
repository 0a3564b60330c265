/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnableAWSServiceAccess.html */
import type { EnableAWSServiceAccessRequest } from '@aws-sdk/client-organizations'

import { writeOperation } from '../../wire/operation.ts'
import { enableService } from '../service-store.ts'
import { checkServicePrincipal } from '../services.ts'
import { requireManaged } from '../standing.ts'

export const enableServiceAccess = writeOperation<EnableAWSServiceAccessRequest, undefined>({
  service: 'organizations',
  action: 'EnableAWSServiceAccess',

  async run({ tx, input, caller, now }) {
    const organization = await requireManaged(tx, caller.accountId)
    const principal = checkServicePrincipal(input.ServicePrincipal)
    await enableService(tx, organization.id, { principal, since: now })
    return undefined
  },
})
