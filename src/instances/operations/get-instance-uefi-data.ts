/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetInstanceUefiData.html */
import type { GetInstanceUefiDataRequest, GetInstanceUefiDataResult } from '@aws-sdk/client-ec2'
import { findUefiData } from '../../images/uefi-data-store.ts'
import { ApiError } from '../../lib/errors.ts'
import { encodeUefiData } from '../../qemu/uefi-data.ts'
import { readOperation } from '../../wire/operation.ts'
import type { Instance } from '../instance.ts'
import { findOneInstance } from '../lookup.ts'

export const getInstanceUefiData = readOperation<
  GetInstanceUefiDataRequest,
  GetInstanceUefiDataResult,
  { readonly InstanceId: Instance['id']; readonly begins: string | undefined }
>({
  action: 'GetInstanceUefiData',

  async run({ db, caller, region, input }) {
    const instance = await findOneInstance(db, { caller, region }, input.InstanceId ?? '')
    const { id: InstanceId, imageId, state, currentBootMode } = instance
    if (state === 'shutting-down' || state === 'terminated') {
      throw new ApiError(
        'IncorrectInstanceState',
        `The instance '${InstanceId}' is not in a state from which its UEFI data can be read.`,
      )
    }
    if (currentBootMode !== 'uefi') {
      // Nobody has seen what EC2 says here.
      throw new ApiError(
        'UnsupportedOperation',
        `The instance '${InstanceId}' does not boot by UEFI, so it has no UEFI data.`,
      )
    }
    return { InstanceId, begins: await findUefiData(db, imageId) }
  },

  async fetch({ InstanceId, begins }, { readers }) {
    const { uefiDictionary } = readers
    const variables = await readers.uefiVariables(InstanceId)
    if (variables === 'unreadable') {
      throw new ApiError('Unavailable', 'The UEFI variables cannot be read at the moment.')
    }
    // Before its first start, an instance has what it will begin with.
    if (!variables && begins !== undefined) return { InstanceId, UefiData: begins }
    return { InstanceId, UefiData: encodeUefiData(variables ?? [], uefiDictionary) }
  },
})
