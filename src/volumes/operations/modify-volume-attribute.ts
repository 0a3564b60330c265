/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolumeAttribute.html */
import type { ModifyVolumeAttributeRequest } from '@aws-sdk/client-ec2'
import { missingParameter } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { modifyVolumeAttributeDemands } from '../demands.ts'
import { findOneVolume } from '../lookup.ts'
import { setAutoEnableIO } from '../store.ts'

export const modifyVolumeAttribute = writeOperation<
  ModifyVolumeAttributeRequest,
  Record<string, never>
>({
  action: 'ModifyVolumeAttribute',
  demands: modifyVolumeAttributeDemands,
  async run(call) {
    const { input, tx } = call
    const { id } = await findOneVolume(tx, call, input.VolumeId)
    const isAuto = input.AutoEnableIO?.Value
    if (isAuto === undefined) throw missingParameter('AutoEnableIO.Value')
    await setAutoEnableIO(tx, id, isAuto)
    return {}
  },
})
