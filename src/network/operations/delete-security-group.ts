/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html */
import type { DeleteSecurityGroupRequest, DeleteSecurityGroupResult } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { deleteTagsOf } from '../../tags/store.ts'
import { writeOperation } from '../../wire/operation.ts'
import { deleteGroup, listRules, listRulesOfGroup } from '../group-store.ts'
import { countInterfacesInGroup } from '../interface-store.ts'
import { findOneGroup } from '../lookup.ts'
import { defaultGroupName } from '../security-group.ts'

export const deleteSecurityGroup = writeOperation<
  DeleteSecurityGroupRequest,
  DeleteSecurityGroupResult
>({
  action: 'DeleteSecurityGroup',
  async run(call) {
    const { input, tx } = call
    const { group } = await findOneGroup(tx, call, input)
    const { id, accountId, region } = group
    if (group.name === defaultGroupName) {
      throw new ApiError(
        'CannotDelete',
        `the specified group: "${id}" name: "default" cannot be deleted by a user`,
      )
    }
    const rules = await listRules(tx, { accountId, region })
    const isNamed = rules.some(
      ({ peer, groupId }) => groupId !== id && peer.kind === 'group' && peer.groupId === id,
    )
    if (isNamed || (await countInterfacesInGroup(tx, id)) > 0) {
      throw new ApiError('DependencyViolation', `resource ${id} has a dependent object`)
    }
    for (const rule of await listRulesOfGroup(tx, id)) await deleteTagsOf(tx, rule.id)
    await deleteGroup(tx, id)
    await deleteTagsOf(tx, id)
    return { Return: true, GroupId: id }
  },
})
