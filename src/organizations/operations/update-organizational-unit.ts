/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_UpdateOrganizationalUnit.html */
import type {
  UpdateOrganizationalUnitRequest,
  UpdateOrganizationalUnitResponse,
} from '@aws-sdk/client-organizations'

import { writeOperation } from '../../wire/operation.ts'
import { checkLength, unitNameLengthMax, unitNameTaken } from '../organization.ts'
import { requireManaged, requireUnit } from '../standing.ts'
import { listUnits, renameUnit } from '../store.ts'
import { viewUnit } from '../view.ts'

export const updateOrganizationalUnit = writeOperation<
  UpdateOrganizationalUnitRequest,
  UpdateOrganizationalUnitResponse
>({
  service: 'organizations',
  action: 'UpdateOrganizationalUnit',

  async run({ tx, input, caller }) {
    const { OrganizationalUnitId: id = '', Name } = input
    const organization = await requireManaged(tx, caller.accountId)
    const unit = await requireUnit(tx, organization, id)
    const name = Name === undefined ? unit.name : checkLength(Name, 'Name', unitNameLengthMax)
    const place = { organizationId: organization.id, parentId: unit.parentId }
    const beside = (await listUnits(tx, place)).filter((one) => one.id !== unit.id)
    if (beside.some((one) => one.name === name)) throw unitNameTaken()
    await renameUnit(tx, unit.id, name)
    return { OrganizationalUnit: viewUnit(organization, { ...unit, name }) }
  },
})
