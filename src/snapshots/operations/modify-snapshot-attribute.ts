/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html */
import type { ModifySnapshotAttributeRequest } from '@aws-sdk/client-ec2'
import { endUnsharedRestores } from '../../fast-restores/end-unshared.ts'
import { ApiError, invalidParameterValue } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { modifySnapshotAttributeDemands } from '../demands.ts'
import { ownSnapshot } from '../find.ts'
import { addSnapshotPermissions, removeSnapshotPermissions } from '../permission-store.ts'
import {
  checkSnapshotAttribute,
  everyone,
  readSnapshotPermissions,
  type SnapshotPermission,
} from '../permission.ts'
import { readPublicAccess } from '../held-public-access.ts'
import { publicSharingBlocked } from '../public-access.ts'
import { checkShareable } from '../shareable.ts'
import { requireUnarchived } from '../snapshot.ts'

export const modifySnapshotAttribute = writeOperation<
  ModifySnapshotAttributeRequest,
  { Return: boolean }
>({
  action: 'ModifySnapshotAttribute',
  demands: modifySnapshotAttributeDemands,
  async run({ input, tx, caller, region, now }) {
    const attribute = checkSnapshotAttribute(input.Attribute ?? 'createVolumePermission')
    if (attribute === 'productCodes') {
      throw new ApiError('UnsupportedOperation', 'Product codes are not supported by Imago.')
    }
    const { accountId } = caller
    const snapshot = await ownSnapshot(tx, { accountId, region, id: input.SnapshotId })
    const { id } = snapshot
    const { add, remove } = readChange(input)
    if (add.length + remove.length === 0) {
      throw new ApiError('InvalidParameterCombination', 'No attributes specified.')
    }
    if (add.length > 0) requireUnarchived(snapshot)
    await checkShareable(tx, [snapshot], { isPublic: add.includes(everyone), count: add.length })
    if (add.includes(everyone)) {
      const { access, message } = await readPublicAccess(tx, { accountId, region })
      if (access !== 'unblocked') throw publicSharingBlocked(message)
    }
    await addSnapshotPermissions(tx, id, add)
    await removeSnapshotPermissions(tx, id, remove)
    await endUnsharedRestores(tx, snapshot, now)
    return { Return: true }
  },
})

/** There are two ways to say it: lists to add and remove, or (older) one list and what to do with it. */
function readChange(input: ModifySnapshotAttributeRequest): {
  readonly add: readonly SnapshotPermission[]
  readonly remove: readonly SnapshotPermission[]
} {
  const { CreateVolumePermission: change, OperationType, UserIds = [], GroupNames = [] } = input
  const listed = readSnapshotPermissions([
    ...UserIds.map((UserId) => ({ UserId })),
    ...GroupNames.map((Group) => ({ Group })),
  ])
  if (listed.length > 0 && OperationType !== 'add' && OperationType !== 'remove') {
    throw invalidParameterValue('operationType', OperationType ?? '', 'It must be add or remove.')
  }
  return {
    add: [...readSnapshotPermissions(change?.Add), ...(OperationType === 'add' ? listed : [])],
    remove: [
      ...readSnapshotPermissions(change?.Remove),
      ...(OperationType === 'remove' ? listed : []),
    ],
  }
}
