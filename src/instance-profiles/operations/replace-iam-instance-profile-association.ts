/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceIamInstanceProfileAssociation.html */
import type {
  ReplaceIamInstanceProfileAssociationRequest,
  ReplaceIamInstanceProfileAssociationResult,
} from '@aws-sdk/client-ec2'
import { findOneInstance } from '../../instances/lookup.ts'
import { missingParameter } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { associate } from '../associate.ts'
import { associationNotFound, checkState } from '../association.ts'
import { chooseProfile } from '../choose-profile.ts'
import { demandsOnInstance } from '../demands.ts'
import { findAssociation, requireAssociation } from '../find.ts'
import { deleteAssociation } from '../store.ts'
import { viewAssociation } from '../view.ts'

export const replaceIamInstanceProfileAssociation = writeOperation<
  ReplaceIamInstanceProfileAssociationRequest,
  ReplaceIamInstanceProfileAssociationResult
>({
  action: 'ReplaceIamInstanceProfileAssociation',
  owesNothing: true,

  async demands({ AssociationId = '', IamInstanceProfile: wanted }, context) {
    const found = await findAssociation(context.db, context, AssociationId)
    return await demandsOnInstance(context, {
      action: 'ReplaceIamInstanceProfileAssociation',
      instanceId: found?.instanceId,
      wanted,
    })
  },

  async run(call) {
    const { tx, input, caller } = call
    const { id, instanceId } = await requireAssociation(tx, call, input.AssociationId ?? '')
    const profile = await chooseProfile(tx, caller, input.IamInstanceProfile)
    if (!profile) throw missingParameter('IamInstanceProfile')
    const instance = await findOneInstance(tx, call, instanceId)
    checkState(instance, ['running'])
    if (!(await deleteAssociation(tx, id))) throw associationNotFound(id)
    const association = await associate(call, instance, profile)
    return { IamInstanceProfileAssociation: viewAssociation(association, 'associating') }
  },
})
