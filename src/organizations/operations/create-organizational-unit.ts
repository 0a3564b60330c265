/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganizationalUnit.html */
import type {
  CreateOrganizationalUnitRequest,
  CreateOrganizationalUnitResponse,
} from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { giveFullAccess } from '../attach.ts'
import {
  checkLength,
  newUnitId,
  unitDepthMax,
  unitNameLengthMax,
  unitsMax,
} from '../organization.ts'
import { readResourceTags } from '../resource-tags.ts'
import { depthOf, requireManaged, requireParent } from '../standing.ts'
import { insertUnit, listAllUnits } from '../store.ts'
import { setTags } from '../tag-store.ts'
import { viewUnit } from '../view.ts'

export const createOrganizationalUnit = writeOperation<
  CreateOrganizationalUnitRequest,
  CreateOrganizationalUnitResponse
>({
  service: 'organizations',
  action: 'CreateOrganizationalUnit',

  async run({ tx, input, caller, now, randomBytes }) {
    const { ParentId = '' } = input
    const name = checkLength(input.Name ?? '', 'Name', unitNameLengthMax)
    const tags = readResourceTags(input.Tags)
    const organization = await requireManaged(tx, caller.accountId)
    const parent = await requireParent(tx, organization, ParentId)
    if ((await depthOf(tx, parent)) >= unitDepthMax) {
      throw new ApiError(
        'ConstraintViolationException',
        `An organizational unit can be at most ${unitDepthMax} levels deep.`,
        { reason: 'OU_DEPTH_LIMIT_EXCEEDED' },
      )
    }
    if ((await listAllUnits(tx, organization.id)).length >= unitsMax) {
      throw new ApiError(
        'ConstraintViolationException',
        `You can have up to ${unitsMax} organizational units in an organization.`,
        { reason: 'OU_NUMBER_LIMIT_EXCEEDED' },
      )
    }
    const unit = {
      id: newUnitId(organization.rootId, randomBytes(8)),
      organizationId: organization.id,
      parentId: ParentId,
      name,
    }
    await insertUnit(tx, unit)
    await giveFullAccess(tx, organization, unit.id, now)
    await setTags(tx, { organizationId: organization.id, resourceId: unit.id }, tags)
    return { OrganizationalUnit: viewUnit(organization, unit) }
  },
})
