/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html */
import type { Reservation, RunInstancesRequest } from '@aws-sdk/client-ec2'
import { demandOn } from '../../iam/demand.ts'
import { requireAll } from '../../iam/evaluate.ts'
import { demandsToPass } from '../../instance-profiles/choose-profile.ts'
import { demandsToResolve, resolveImageId } from '../../parameters/resolve-image.ts'
import { writeOperation } from '../../wire/operation.ts'
import { viewInstances, viewReservations } from '../details.ts'
import { launch } from '../launch.ts'

export const runInstances = writeOperation<RunInstancesRequest, Reservation>({
  action: 'RunInstances',

  // AWS asks of everything that the call touches, and of everything that it makes.
  demands: async (input, context) => {
    const { caller, region } = context
    const own = `arn:aws:ec2:${region}:${caller.accountId}`
    const [nic] = input.NetworkInterfaces ?? []
    const groups = nic?.Groups ?? input.SecurityGroupIds ?? []
    const toResolve = demandsToResolve(input.ImageId ?? '', context)
    const resources = [
      // The image of a parameter is known, and asked for, when the parameter is read.
      ...(toResolve.length > 0 ? [] : [imageArn(region, input.ImageId ?? '*')]),
      `${own}:instance/*`,
      `${own}:network-interface/*`,
      `${own}:volume/*`,
      `${own}:subnet/${nic?.SubnetId ?? input.SubnetId ?? '*'}`,
      ...(groups.length > 0 ? groups : ['*']).map((id) => `${own}:security-group/${id}`),
      ...(input.KeyName === undefined ? [] : [`${own}:key-pair/${input.KeyName}`]),
    ]
    const toPass = await demandsToPass(context.db, caller, input.IamInstanceProfile)
    return [...resources.map(toRun), ...toResolve, ...toPass]
  },

  async run(call) {
    const { caller, region, input } = call
    const owner = { accountId: caller.accountId, region }
    const named = input.ImageId
    const ImageId = named && (await resolveImageId(call.tx, owner, named))
    if (ImageId !== named) requireAll(caller, [toRun(imageArn(region, ImageId ?? '*'))])
    const instances = await launch(call, { ...input, ImageId })
    const [reservation] = viewReservations(await viewInstances(call.tx, owner, instances))
    return reservation ?? {}
  },
})

const imageArn = (region: string, id: string): string => `arn:aws:ec2:${region}::image/${id}`

const toRun = (arn: string) => demandOn('ec2:RunInstances', arn)
