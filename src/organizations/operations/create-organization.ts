/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganization.html */
import type {
  CreateOrganizationRequest,
  CreateOrganizationResponse,
} from '@aws-sdk/client-organizations'
import { findAccount } from '../../iam/store.ts'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import {
  emailOfManagement,
  invalidInput,
  newOrganizationId,
  newRootId,
  type Organization,
} from '../organization.ts'
import { findOrganizationOf, insertMember, insertOrganization } from '../store.ts'
import { viewOrganization } from '../view.ts'

export const createOrganization = writeOperation<
  CreateOrganizationRequest,
  CreateOrganizationResponse
>({
  service: 'organizations',
  action: 'CreateOrganization',

  async run({ tx, input, caller, now, randomBytes }) {
    const { FeatureSet = 'ALL' } = input
    const { accountId } = caller
    if (FeatureSet !== 'ALL' && FeatureSet !== 'CONSOLIDATED_BILLING')
      throw invalidInput('You provided a value that is not one of the feature sets.')
    if (await findOrganizationOf(tx, accountId)) throw alreadyIn()
    const organization: Organization = {
      id: newOrganizationId(randomBytes(10)),
      managementAccountId: accountId,
      rootId: newRootId(randomBytes(4)),
      featureSet: FeatureSet,
      createdAt: now,
    }
    if (!(await insertOrganization(tx, organization))) throw alreadyIn()
    const account = await findAccount(tx, accountId)
    const isMember = await insertMember(tx, {
      accountId,
      organizationId: organization.id,
      parentId: organization.rootId,
      name: account?.name ?? accountId,
      email: emailOfManagement(accountId),
      joinedMethod: 'INVITED',
      joinedAt: now,
      closure: undefined,
    })
    if (!isMember) throw alreadyIn()
    return { Organization: viewOrganization(organization) }
  },
})

const alreadyIn = (): ApiError =>
  new ApiError(
    'AlreadyInOrganizationException',
    'The AWS account is already a member of an organization.',
  )
