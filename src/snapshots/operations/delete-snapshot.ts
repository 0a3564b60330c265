/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSnapshot.html */
import type { DeleteSnapshotRequest } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { ownSnapshot } from '../find.ts'
import { removeSnapshot } from '../remove.ts'

export const deleteSnapshot = writeOperation<DeleteSnapshotRequest, { Return: boolean }>({
  action: 'DeleteSnapshot',
  makesRoom: true,
  async run({ input, tx, caller, region, now }) {
    const { accountId } = caller
    const { id } = await ownSnapshot(tx, { accountId, region, id: input.SnapshotId })
    await removeSnapshot(tx, id, now)
    return { Return: true }
  },
})
