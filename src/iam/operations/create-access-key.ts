/**
 * Makes an access key of a user. The secret is in this answer and in no other.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
 */
import type { CreateAccessKeyRequest, CreateAccessKeyResponse } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { requireUser } from '../find.ts'
import { makeUserKey } from '../user-keys.ts'

export const createAccessKey = writeOperation<CreateAccessKeyRequest, CreateAccessKeyResponse>({
  service: 'iam',
  action: 'CreateAccessKey',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input, now, randomBytes, readers } = call
    const user = await requireUser(tx, call, 'CreateAccessKey', input.UserName)
    const maker = { now, randomBytes, sealer: readers.masterKey }
    const { id, secret, createdAt } = await makeUserKey(tx, user, maker)
    return {
      AccessKey: {
        UserName: user.name,
        AccessKeyId: id,
        Status: 'Active',
        SecretAccessKey: secret.reveal(),
        CreateDate: createdAt,
      },
    }
  },
})
