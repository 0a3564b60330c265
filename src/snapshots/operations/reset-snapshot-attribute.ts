/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResetSnapshotAttribute.html */
import type { ResetSnapshotAttributeRequest } from '@aws-sdk/client-ec2'
import { endUnsharedRestores } from '../../fast-restores/end-unshared.ts'
import { invalidParameterValue } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { resetSnapshotAttributeDemands } from '../demands.ts'
import { ownSnapshot } from '../find.ts'
import { removeSnapshotPermissions } from '../permission-store.ts'
import { checkSnapshotAttribute } from '../permission.ts'

export const resetSnapshotAttribute = writeOperation<
  ResetSnapshotAttributeRequest,
  { Return: boolean }
>({
  action: 'ResetSnapshotAttribute',
  demands: resetSnapshotAttributeDemands,
  async run({ input, tx, caller, region, now }) {
    if (checkSnapshotAttribute(input.Attribute) !== 'createVolumePermission') {
      throw invalidParameterValue(
        'attribute',
        input.Attribute ?? '',
        'Only createVolumePermission can be reset.',
      )
    }
    const { accountId } = caller
    const snapshot = await ownSnapshot(tx, { accountId, region, id: input.SnapshotId })
    await removeSnapshotPermissions(tx, snapshot.id)
    await endUnsharedRestores(tx, snapshot, now)
    return { Return: true }
  },
})
