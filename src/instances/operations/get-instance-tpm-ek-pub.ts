/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetInstanceTpmEkPub.html */
import type { GetInstanceTpmEkPubRequest, GetInstanceTpmEkPubResult } from '@aws-sdk/client-ec2'
import { ApiError, invalidParameterValue } from '../../lib/errors.ts'
import { toDer } from '../../qemu/tpm-key.ts'
import { readOperation } from '../../wire/operation.ts'
import type { Instance } from '../instance.ts'
import { findOneInstance } from '../lookup.ts'

interface Found {
  readonly InstanceId: Instance['id']
  readonly isGone: boolean
  readonly KeyType: 'rsa-2048' | 'ecc-sec-p384'
  readonly KeyFormat: 'der' | 'tpmt'
}

export const getInstanceTpmEkPub = readOperation<
  GetInstanceTpmEkPubRequest,
  GetInstanceTpmEkPubResult,
  Found
>({
  action: 'GetInstanceTpmEkPub',

  async run({ db, caller, region, input }) {
    const { KeyType, KeyFormat } = input
    if (KeyType !== 'rsa-2048' && KeyType !== 'ecc-sec-p384') {
      throw invalidParameterValue('keyType', KeyType ?? '', 'It is rsa-2048 or ecc-sec-p384.')
    }
    if (KeyFormat !== 'der' && KeyFormat !== 'tpmt') {
      throw invalidParameterValue('keyFormat', KeyFormat ?? '', 'It is der or tpmt.')
    }
    const instance = await findOneInstance(db, { caller, region }, input.InstanceId ?? '')
    const { id: InstanceId, state } = instance
    // Nobody has seen what EC2 says in these two cases.
    if (instance.tpmSupport === undefined) {
      throw new ApiError('UnsupportedOperation', `The instance '${InstanceId}' has no TPM.`)
    }
    const isGone = state === 'shutting-down' || state === 'terminated'
    return { InstanceId, isGone, KeyType, KeyFormat }
  },

  async fetch({ InstanceId, isGone, KeyType, KeyFormat }, { readers }) {
    const key = isGone ? undefined : await readers.tpmKey(InstanceId, KeyType)
    if (!key) {
      throw new ApiError(
        'IncorrectInstanceState',
        `The instance '${InstanceId}' is not in a state from which its TPM can be read.`,
      )
    }
    const bytes = KeyFormat === 'der' ? toDer(KeyType, key) : Buffer.from(key)
    return { InstanceId, KeyType, KeyFormat, KeyValue: bytes.toString('base64') }
  },
})
