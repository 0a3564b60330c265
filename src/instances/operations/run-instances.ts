/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html */
import type { Reservation, RunInstancesRequest } from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { viewInstances, viewReservations } from '../details.ts'
import { launch } from '../launch.ts'

export const runInstances = writeOperation<RunInstancesRequest, Reservation>({
  action: 'RunInstances',

  // AWS asks of everything that the call touches, and of everything that it makes.
  permissions: (input, { caller, region }) => {
    const own = `arn:aws:ec2:${region}:${caller.accountId}`
    const [nic] = input.NetworkInterfaces ?? []
    const groups = nic?.Groups ?? input.SecurityGroupIds ?? []
    const resources = [
      `arn:aws:ec2:${region}::image/${input.ImageId ?? '*'}`,
      `${own}:instance/*`,
      `${own}:network-interface/*`,
      `${own}:volume/*`,
      `${own}:subnet/${nic?.SubnetId ?? input.SubnetId ?? '*'}`,
      ...(groups.length > 0 ? groups : ['*']).map((id) => `${own}:security-group/${id}`),
      ...(input.KeyName === undefined ? [] : [`${own}:key-pair/${input.KeyName}`]),
    ]
    return resources.map((resource) => ({ action: 'ec2:RunInstances', resource }))
  },

  async run(call) {
    const instances = await launch(call, call.input)
    const owner = { accountId: call.caller.accountId, region: call.region }
    const [reservation] = viewReservations(await viewInstances(call.tx, owner, instances))
    return reservation ?? {}
  },
})
