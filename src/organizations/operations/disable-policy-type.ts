/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_DisablePolicyType.html */
import type {
  DisablePolicyTypeRequest,
  DisablePolicyTypeResponse,
} from '@aws-sdk/client-organizations'

import { writeOperation } from '../../wire/operation.ts'
import { declarativeType, redeclare } from '../declared.ts'
import { readPolicyType, typeNotEnabled } from '../policy.ts'
import { disableType, listEnabledTypes } from '../policy-store.ts'
import { requireManaged, requireRoot } from '../standing.ts'
import { viewRoot } from '../view.ts'

export const disablePolicyType = writeOperation<
  DisablePolicyTypeRequest,
  DisablePolicyTypeResponse
>({
  service: 'organizations',
  action: 'DisablePolicyType',

  async run({ tx, input, caller }) {
    const organization = await requireManaged(tx, caller.accountId)
    requireRoot(organization, input.RootId)
    const type = readPolicyType(input.PolicyType)
    if (!(await disableType(tx, organization.id, type))) throw typeNotEnabled()
    if (type === declarativeType) await redeclare(tx, organization.id)
    return { Root: viewRoot(organization, await listEnabledTypes(tx, organization.id)) }
  },
})
