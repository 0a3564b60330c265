/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisassociateIamInstanceProfile.html */
import type {
  DisassociateIamInstanceProfileRequest,
  DisassociateIamInstanceProfileResult,
} from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { associationNotFound } from '../association.ts'
import { demandsOnInstance } from '../demands.ts'
import { findAssociation, requireAssociation } from '../find.ts'
import { deleteAssociation } from '../store.ts'
import { viewAssociation } from '../view.ts'

export const disassociateIamInstanceProfile = writeOperation<
  DisassociateIamInstanceProfileRequest,
  DisassociateIamInstanceProfileResult
>({
  action: 'DisassociateIamInstanceProfile',
  owesNothing: true,

  async demands({ AssociationId = '' }, context) {
    const found = await findAssociation(context.db, context, AssociationId)
    return await demandsOnInstance(context, {
      action: 'DisassociateIamInstanceProfile',
      instanceId: found?.instanceId,
    })
  },

  async run(call) {
    const association = await requireAssociation(call.tx, call, call.input.AssociationId ?? '')
    const { id } = association
    if (!(await deleteAssociation(call.tx, id))) throw associationNotFound(id)
    return { IamInstanceProfileAssociation: viewAssociation(association, 'disassociating') }
  },
})
