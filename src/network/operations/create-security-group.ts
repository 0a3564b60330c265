/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html */
import type { CreateSecurityGroupRequest, CreateSecurityGroupResult } from '@aws-sdk/client-ec2'
import { createGroupDemands } from '../demands.ts'
import { ApiError, missingParameter } from '../../lib/errors.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { putTags } from '../../tags/store.ts'
import { viewTags } from '../../tags/view.ts'
import { type WriteCall, writeOperation } from '../../wire/operation.ts'
import { allEgress, ruleOf } from '../defaults.ts'
import { insertGroup, insertRules, listGroups } from '../group-store.ts'
import { groupArn } from '../group-view.ts'
import {
  checkGroupDescription,
  checkGroupName,
  groupsMax,
  type SecurityGroup,
} from '../security-group.ts'
import { findDefaultVpc, findVpc } from '../store.ts'
import { parseVpcId, type Vpc, vpcNotFound } from '../vpc.ts'

export const createSecurityGroup = writeOperation<
  CreateSecurityGroupRequest,
  CreateSecurityGroupResult
>({
  action: 'CreateSecurityGroup',
  demands: createGroupDemands,
  async run(call) {
    const { input, tx, newId, caller, region } = call
    const { GroupName: name = '', Description: description = '' } = input
    const tags = tagsOnCreate(input.TagSpecifications, ['security-group']).get('security-group')
    checkGroupName(name)
    checkGroupDescription(description)
    const owner = { accountId: caller.accountId, region }
    const vpc = await findWantedVpc(call)
    if ((await listGroups(tx, owner)).length >= groupsMax) {
      throw new ApiError(
        'SecurityGroupLimitExceeded',
        'The maximum number of security groups has been reached.',
      )
    }
    const id = newId('security-group')
    const group: SecurityGroup = { ...owner, id, vpcId: vpc.id, name, description }
    await insertGroup(tx, group)
    await insertRules(tx, [ruleOf(group, allEgress, newId)])
    await putTags(tx, {
      ...owner,
      resourceType: 'security-group',
      resourceId: id,
      tags: tags ?? [],
    })
    return { GroupId: id, SecurityGroupArn: groupArn(group), Tags: tags && viewTags(tags) }
  },
})

async function findWantedVpc(call: WriteCall<CreateSecurityGroupRequest>): Promise<Vpc> {
  const { input, tx, caller, region } = call
  const owner = { accountId: caller.accountId, region }
  if (!input.VpcId) {
    const standard = await findDefaultVpc(tx, owner)
    if (!standard) throw missingParameter('vpcId')
    return standard
  }
  const vpc = await findVpc(tx, { ...owner, id: parseVpcId(input.VpcId) })
  if (!vpc) throw vpcNotFound(input.VpcId)
  return vpc
}
