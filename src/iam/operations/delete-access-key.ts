/**
 * Deletes a key of a user. It is worth nothing from this moment on.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html
 */
import type { DeleteAccessKeyRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { requireUser } from '../find.ts'
import { deleteUserKey, noSuchKey } from '../user-key-store.ts'

export const deleteAccessKey = writeOperation<DeleteAccessKeyRequest, void>({
  service: 'iam',
  action: 'DeleteAccessKey',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input } = call
    const { AccessKeyId: id = '' } = input
    const user = await requireUser(tx, call, 'DeleteAccessKey', input.UserName)
    if (!(await deleteUserKey(tx, { id, userId: user.id }))) throw noSuchKey(id)
  },
})
