/**
 * Gives a group another name or path. Its users and policies stay the same.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateGroup.html
 */
import type { UpdateGroupRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { checkName, checkPath, entityArn, entityExists } from '../entity.ts'
import { renameEntity } from '../entity-store.ts'
import { requireAllowed } from '../evaluate.ts'
import { requireEntity } from '../find.ts'

export const updateGroup = writeOperation<UpdateGroupRequest, void>({
  service: 'iam',
  action: 'UpdateGroup',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input, caller } = call
    const wanted = { kind: 'group', name: input.GroupName } as const
    const group = await requireEntity(tx, call, 'UpdateGroup', wanted)
    const name = checkName('group', input.NewGroupName ?? group.name, 'newGroupName')
    const path = checkPath(input.NewPath ?? group.path)
    const resource = entityArn({ ...group, name, path })
    requireAllowed(caller, { action: 'iam:UpdateGroup', resource })
    if (!(await renameEntity(tx, group, { name, path }))) throw entityExists('group', name)
  },
})
