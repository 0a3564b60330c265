/** https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html */
import type { UpdateAliasRequest } from '@aws-sdk/client-kms'
import { writeOperation } from '../../wire/operation.ts'
import { aliasNotFound, checkAliasName } from '../alias.ts'
import { findAlias, setAliasKey } from '../alias-store.ts'
import { checkRoomForAlias, onAlias, requireTarget } from '../aliases.ts'
import { hereOf, requireKeyById } from '../find.ts'

export const updateAlias = writeOperation<UpdateAliasRequest, undefined>({
  service: 'kms',
  action: 'UpdateAlias',
  demands: (input, context) =>
    onAlias('UpdateAlias', input.AliasName, input.TargetKeyId, { ...context, input }),

  async run(call) {
    const { input, tx, now } = call
    const name = { ...hereOf(call), name: checkAliasName(input.AliasName) }
    const key = await requireTarget(call, 'UpdateAlias', input.TargetKeyId)
    const alias = await findAlias(tx, name)
    if (!alias) throw aliasNotFound(name)
    // The key that loses the alias has to be the caller's to change as well.
    await requireKeyById(tx, call, 'UpdateAlias', alias.keyId)
    if (alias.keyId !== key.id) await checkRoomForAlias(tx, key)
    await setAliasKey(tx, { ...alias, keyId: key.id, updatedAt: now })
    return undefined
  },
})
