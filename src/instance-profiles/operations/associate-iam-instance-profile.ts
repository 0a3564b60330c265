/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateIamInstanceProfile.html */
import type {
  AssociateIamInstanceProfileRequest,
  AssociateIamInstanceProfileResult,
} from '@aws-sdk/client-ec2'
import { findOneInstance } from '../../instances/lookup.ts'
import { missingParameter } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { associate } from '../associate.ts'
import { checkState } from '../association.ts'
import { chooseProfile } from '../choose-profile.ts'
import { demandsOnInstance } from '../demands.ts'
import { viewAssociation } from '../view.ts'

export const associateIamInstanceProfile = writeOperation<
  AssociateIamInstanceProfileRequest,
  AssociateIamInstanceProfileResult
>({
  action: 'AssociateIamInstanceProfile',
  owesNothing: true,

  demands: (input, context) =>
    demandsOnInstance(context, {
      action: 'AssociateIamInstanceProfile',
      instanceId: input.InstanceId,
      wanted: input.IamInstanceProfile,
    }),

  async run(call) {
    const { tx, input, caller } = call
    const instance = await findOneInstance(tx, call, input.InstanceId ?? '')
    const profile = await chooseProfile(tx, caller, input.IamInstanceProfile)
    if (!profile) throw missingParameter('IamInstanceProfile')
    checkState(instance, ['running', 'stopped'])
    const association = await associate(call, instance, profile)
    return { IamInstanceProfileAssociation: viewAssociation(association, 'associating') }
  },
})
