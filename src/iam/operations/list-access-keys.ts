/**
 * The access keys of a user, without their secrets.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html
 */
import type { ListAccessKeysRequest, ListAccessKeysResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { requireUser } from '../find.ts'
import { pageOf } from '../list-page.ts'
import { listUserKeys } from '../user-key-store.ts'
import { viewKey } from '../view.ts'

export const listAccessKeys = readOperation<ListAccessKeysRequest, ListAccessKeysResponse>({
  service: 'iam',
  action: 'ListAccessKeys',
  demands: () => [],

  async run(call) {
    const { db, input } = call
    const user = await requireUser(db, call, 'ListAccessKeys', input.UserName)
    const { items, ...rest } = pageOf(await listUserKeys(db, user.id), input, ({ id }) => id)
    return { AccessKeyMetadata: items.map((key) => viewKey(user, key)), ...rest }
  },
})
