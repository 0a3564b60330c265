/** https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html */
import type { CreateAliasRequest } from '@aws-sdk/client-kms'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { aliasArn, checkAliasName } from '../alias.ts'
import { insertAlias } from '../alias-store.ts'
import { checkRoomForAlias, onAlias, requireTarget } from '../aliases.ts'
import { hereOf } from '../find.ts'

export const createAlias = writeOperation<CreateAliasRequest, undefined>({
  service: 'kms',
  action: 'CreateAlias',
  demands: (input, context) =>
    onAlias('CreateAlias', input.AliasName, input.TargetKeyId, { ...context, input }),

  async run(call) {
    const { input, tx, now } = call
    const alias = { ...hereOf(call), name: checkAliasName(input.AliasName) }
    const key = await requireTarget(call, 'CreateAlias', input.TargetKeyId)
    await checkRoomForAlias(tx, key)
    if (await insertAlias(tx, { ...alias, keyId: key.id, createdAt: now, updatedAt: now })) return
    throw new ApiError(
      'AlreadyExistsException',
      `An alias with the name ${aliasArn(alias)} already exists`,
    )
  },
})
