/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html */
import type { ListKeysRequest, ListKeysResponse } from '@aws-sdk/client-kms'
import { readOperation } from '../../wire/operation.ts'
import { hereOf } from '../find.ts'
import { keyArn } from '../key.ts'
import { pageOf } from '../request.ts'
import { listKeysOf } from '../store.ts'

const limits = { usual: 100, max: 1000 } as const

export const listKeys = readOperation<ListKeysRequest, ListKeysResponse>({
  service: 'kms',
  action: 'ListKeys',

  async run(call) {
    const keys = await listKeysOf(call.db, hereOf(call))
    const { items, ...next } = pageOf(keys, call.input, ({ id }) => id, limits)
    return { Keys: items.map((key) => ({ KeyId: key.id, KeyArn: keyArn(key) })), ...next }
  },
})
