/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html */
import type { ListAliasesRequest, ListAliasesResponse } from '@aws-sdk/client-kms'
import { readOperation } from '../../wire/operation.ts'
import { ebsAlias } from '../alias.ts'
import { listAliasesOf } from '../alias-store.ts'
import { hereOf, requireKeyById } from '../find.ts'
import { pageOf } from '../request.ts'
import { viewAlias } from '../view.ts'

const limits = { usual: 50, max: 100 } as const

export const listAliases = readOperation<ListAliasesRequest, ListAliasesResponse>({
  service: 'kms',
  action: 'ListAliases',

  async run(call) {
    const { db, input } = call
    const here = hereOf(call)
    const key = input.KeyId ? await requireKeyById(db, call, 'ListAliases', input.KeyId) : undefined
    const aliases = await listAliasesOf(db, here)
    const isThere = aliases.some(({ name }) => name === ebsAlias)
    // The aliases of AWS are listed before their keys are made.
    const all = isThere ? aliases : [...aliases, { ...here, name: ebsAlias, keyId: undefined }]
    const found = all
      .filter(({ keyId }) => !key || keyId === key.id)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    const { items, ...next } = pageOf(found, input, ({ name }) => name, limits)
    return { Aliases: items.map(viewAlias), ...next }
  },
})
