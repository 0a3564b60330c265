/** What making a security group demands: the group, and the VPC that it is made in. */
import type { CreateSecurityGroupRequest } from '@aws-sdk/client-ec2'
import type { Demand } from '../iam/demand.ts'
import { type Asking, demandsOn, making, placeOf, taggingDemands } from '../iam/ec2-touched.ts'
import { findDefaultVpc } from './store.ts'

export async function createGroupDemands(
  input: CreateSecurityGroupRequest,
  asking: Asking,
): Promise<readonly Demand[]> {
  const action = 'CreateSecurityGroup'
  const vpcId = input.VpcId || (await findDefaultVpc(asking.db, placeOf(asking)))?.id
  return [
    making(action, 'security-group', input, asking),
    ...(await demandsOn(action, 'vpc', vpcId ? [vpcId] : [], asking)),
    ...taggingDemands(action, input, asking),
  ]
}
