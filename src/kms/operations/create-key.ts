/** https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html */
import type { CreateKeyRequest, CreateKeyResponse } from '@aws-sdk/client-kms'
import { demandOn } from '../../iam/demand.ts'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { keysOfInput } from '../access.ts'
import { hereOf } from '../find.ts'
import { keysMax, unsupported, validation } from '../key.ts'
import { makeKey } from '../managed.ts'
import { readKeyPolicy } from '../put-policy.ts'
import { readDescription, readKeyTags } from '../request.ts'
import { listKeysOf, setKeyPolicy } from '../store.ts'
import { viewKey } from '../view.ts'

export const createKey = writeOperation<CreateKeyRequest, CreateKeyResponse>({
  service: 'kms',
  action: 'CreateKey',
  demands: (input) => [demandOn('kms:CreateKey', '*', keysOfInput('CreateKey', input))],

  async run(call) {
    const { input, tx, now, randomBytes } = call
    checkKind(input)
    const description = readDescription(input.Description)
    const tags = readKeyTags(input.Tags)
    const here = hereOf(call)
    if ((await listKeysOf(tx, here)).length >= keysMax) {
      throw new ApiError('LimitExceededException', `An account has at most ${keysMax} keys.`)
    }
    const { masterKey: sealer } = call.readers
    const wanted = { ...here, manager: 'CUSTOMER', description, tags } as const
    const key = await makeKey(tx, wanted, { now, randomBytes, sealer })
    if (input.Policy) {
      const { Policy, BypassPolicyLockoutSafetyCheck } = input
      const given = { Policy, BypassPolicyLockoutSafetyCheck }
      await setKeyPolicy(tx, key.id, readKeyPolicy(key, call.caller, given))
    }
    return { KeyMetadata: viewKey(key) }
  },
})

/** Only symmetric keys for encryption are made, in one Region, of material made here. */
function checkKind(input: CreateKeyRequest): void {
  const { KeySpec, CustomerMasterKeySpec, KeyUsage, Origin } = input
  if (KeySpec !== undefined && CustomerMasterKeySpec !== undefined) {
    throw validation(
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. ' +
        'CustomerMasterKeySpec is deprecated.',
    )
  }
  const spec = KeySpec ?? CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  if (spec !== 'SYMMETRIC_DEFAULT') throw unsupported(`The key spec ${spec}`)
  if (KeyUsage !== undefined && KeyUsage !== 'ENCRYPT_DECRYPT')
    throw validation(`KeyUsage ${KeyUsage} is not compatible with KeySpec ${spec}`)
  if (Origin !== undefined && Origin !== 'AWS_KMS') throw unsupported(`The origin ${Origin}`)
  if (input.MultiRegion) throw unsupported('The parameter MultiRegion')
  if (input.CustomKeyStoreId) throw unsupported('The parameter CustomKeyStoreId')
  if (input.XksKeyId) throw unsupported('The parameter XksKeyId')
}
