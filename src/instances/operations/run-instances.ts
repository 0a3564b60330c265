/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html */
import type { Reservation, RunInstancesRequest } from '@aws-sdk/client-ec2'
import { demandsToPass } from '../../instance-profiles/choose-profile.ts'
import { resolveImageId } from '../../parameters/resolve-image.ts'
import { writeOperation } from '../../wire/operation.ts'
import { viewInstances, viewReservations } from '../details.ts'
import { launch } from '../launch.ts'
import { launchDemands } from '../launch-demands.ts'

export const runInstances = writeOperation<RunInstancesRequest, Reservation>({
  action: 'RunInstances',

  async demands(input, context) {
    const toPass = await demandsToPass(context.db, context.caller, input.IamInstanceProfile)
    return [...(await launchDemands(input, context)), ...toPass]
  },

  async run(call) {
    const { caller, region, input } = call
    const owner = { accountId: caller.accountId, region }
    const named = input.ImageId
    const ImageId = named && (await resolveImageId(call.tx, owner, named))
    const instances = await launch(call, { ...input, ImageId })
    const [reservation] = viewReservations(await viewInstances(call.tx, owner, instances))
    return reservation ?? {}
  },
})
