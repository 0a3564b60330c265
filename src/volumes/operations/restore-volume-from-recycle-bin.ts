/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RestoreVolumeFromRecycleBin.html */
import type { RestoreVolumeFromRecycleBinRequest } from '@aws-sdk/client-ec2'
import { unmarkRecycled } from '../../recycle-bin/mark.ts'
import { writeOperation } from '../../wire/operation.ts'
import { listRecycledVolumes, restoreRecycledVolume } from '../life-store.ts'
import { parseVolumeId, volumeNotFound } from '../volume.ts'

export const restoreVolumeFromRecycleBin = writeOperation<
  RestoreVolumeFromRecycleBinRequest,
  { Return: boolean }
>({
  action: 'RestoreVolumeFromRecycleBin',
  async run({ input, tx, caller, region }) {
    const { accountId } = caller
    const id = parseVolumeId(input.VolumeId ?? '')
    const [volume] = await listRecycledVolumes(tx, { accountId, region, ids: [id] })
    if (!volume || !(await restoreRecycledVolume(tx, id))) throw volumeNotFound(id)
    await unmarkRecycled(tx, volume)
    return { Return: true }
  },
})
