/**
 * Associations as EC2 answers them. What is written down holds at once; that it is on its
 * way is only said in the answer to the call, where tools look for it.
 */
import type {
  IamInstanceProfile,
  IamInstanceProfileAssociation,
  IamInstanceProfileAssociationState,
} from '@aws-sdk/client-ec2'
import type { Association } from './association.ts'

export const viewProfileOf = ({ profileArn, profileId }: Association): IamInstanceProfile => ({
  Arn: profileArn,
  Id: profileId,
})

export const viewAssociation = (
  association: Association,
  State: IamInstanceProfileAssociationState = 'associated',
): IamInstanceProfileAssociation => ({
  AssociationId: association.id,
  InstanceId: association.instanceId,
  IamInstanceProfile: viewProfileOf(association),
  State,
  Timestamp: association.madeAt,
})
