/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganizationalUnit.html */
import type {
  CreateOrganizationalUnitRequest,
  CreateOrganizationalUnitResponse,
} from '@aws-sdk/client-organizations'
import { ApiError, unsupportedParameter } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { checkLength, newUnitId, unitDepthMax } from '../organization.ts'
import { depthOf, requireManaged, requireParent } from '../standing.ts'
import { insertUnit } from '../store.ts'
import { viewUnit } from '../view.ts'

const nameLengthMax = 128

export const createOrganizationalUnit = writeOperation<
  CreateOrganizationalUnitRequest,
  CreateOrganizationalUnitResponse
>({
  service: 'organizations',
  action: 'CreateOrganizationalUnit',

  async run({ tx, input, caller, randomBytes }) {
    const { ParentId = '', Tags = [] } = input
    if (Tags.length > 0) throw unsupportedParameter('Tags')
    const name = checkLength(input.Name ?? '', 'Name', nameLengthMax)
    const organization = await requireManaged(tx, caller.accountId)
    const parent = await requireParent(tx, organization, ParentId)
    if ((await depthOf(tx, parent)) >= unitDepthMax) {
      throw new ApiError(
        'ConstraintViolationException',
        `An organizational unit can be at most ${unitDepthMax} levels deep.`,
        { reason: 'OU_DEPTH_LIMIT_EXCEEDED' },
      )
    }
    const unit = {
      id: newUnitId(organization.rootId, randomBytes(8)),
      organizationId: organization.id,
      parentId: ParentId,
      name,
    }
    await insertUnit(tx, unit)
    return { OrganizationalUnit: viewUnit(organization, unit) }
  },
})
