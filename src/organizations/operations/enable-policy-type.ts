/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnablePolicyType.html */
import type {
  EnablePolicyTypeRequest,
  EnablePolicyTypeResponse,
} from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { enable } from '../attach.ts'
import { readPolicyType } from '../policy.ts'
import { listEnabledTypes } from '../policy-store.ts'
import { requireAllFeatures, requireManaged, requireRoot } from '../standing.ts'
import { viewRoot } from '../view.ts'

export const enablePolicyType = writeOperation<EnablePolicyTypeRequest, EnablePolicyTypeResponse>({
  service: 'organizations',
  action: 'EnablePolicyType',

  async run({ tx, input, caller, now }) {
    const organization = await requireManaged(tx, caller.accountId)
    requireRoot(organization, input.RootId)
    requireAllFeatures(organization)
    const type = readPolicyType(input.PolicyType)
    if (!(await enable(tx, organization, type, now))) {
      throw new ApiError(
        'PolicyTypeAlreadyEnabledException',
        'The specified policy type is already enabled in the specified root.',
      )
    }
    return { Root: viewRoot(organization, await listEnabledTypes(tx, organization.id)) }
  },
})
