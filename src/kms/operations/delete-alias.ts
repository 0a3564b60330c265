/** https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteAlias.html */
import type { DeleteAliasRequest } from '@aws-sdk/client-kms'
import { writeOperation } from '../../wire/operation.ts'
import { aliasNotFound, checkAliasName } from '../alias.ts'
import { deleteAliasRow, findAlias } from '../alias-store.ts'
import { onAlias } from '../aliases.ts'
import { hereOf, requireKeyById } from '../find.ts'

export const deleteAlias = writeOperation<DeleteAliasRequest, undefined>({
  service: 'kms',
  action: 'DeleteAlias',
  demands: (input, context) =>
    onAlias('DeleteAlias', input.AliasName, undefined, { ...context, input }),

  async run(call) {
    const { input, tx } = call
    const name = { ...hereOf(call), name: checkAliasName(input.AliasName) }
    const alias = await findAlias(tx, name)
    if (!alias) throw aliasNotFound(name)
    await requireKeyById(tx, call, 'DeleteAlias', alias.keyId)
    await deleteAliasRow(tx, name)
    return undefined
  },
})
