/**
 * One that is not there counts as deleted, as EC2 has it.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteKeyPair.html
 */
import type { DeleteKeyPairRequest, DeleteKeyPairResult } from '@aws-sdk/client-ec2'
import { missingParameter } from '../../lib/errors.ts'
import { deleteTagsOf } from '../../tags/store.ts'
import { writeOperation } from '../../wire/operation.ts'
import { deleteKeyPairRow, listKeyPairs } from '../store.ts'

export const deleteKeyPair = writeOperation<DeleteKeyPairRequest, DeleteKeyPairResult>({
  action: 'DeleteKeyPair',
  async run({ input, tx, caller, region }) {
    const { KeyName, KeyPairId } = input
    if (!KeyName && !KeyPairId) throw missingParameter('KeyName')
    const all = await listKeyPairs(tx, { accountId: caller.accountId, region })
    const found = all.find(({ name, id }) => (KeyPairId ? id === KeyPairId : name === KeyName))
    if (!found) return { Return: true }
    await deleteKeyPairRow(tx, found.id)
    await deleteTagsOf(tx, found.id)
    return { Return: true, KeyPairId: found.id }
  },
})
