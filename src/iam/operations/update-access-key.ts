/**
 * Makes a key of a user inactive, which no call can be signed with, or active again.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
 */
import type { UpdateAccessKeyRequest } from '@aws-sdk/client-iam'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { requireUser } from '../find.ts'
import { noSuchKey, setUserKeyActive } from '../user-key-store.ts'

export const updateAccessKey = writeOperation<UpdateAccessKeyRequest, void>({
  service: 'iam',
  action: 'UpdateAccessKey',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input } = call
    const { AccessKeyId: id = '', Status } = input
    const user = await requireUser(tx, call, 'UpdateAccessKey', input.UserName)
    if (Status !== 'Active' && Status !== 'Inactive') {
      throw new ApiError(
        'ValidationError',
        `1 validation error detected: Value '${Status}' at 'status' failed to satisfy ` +
          'constraint: Member must satisfy enum value set: [Active, Inactive]',
      )
    }
    const change = { id, userId: user.id, isActive: Status === 'Active' }
    if (!(await setUserKeyActive(tx, change))) throw noSuchKey(id)
  },
})
