/**
 * That an instance has an instance profile: one at most. It holds from the call that makes
 * it to the one that ends it, or the end of the instance; the profile itself may go before.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IamInstanceProfileAssociation.html
 */
import { ApiError, invalidParameterValue } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'
import type { Instance, InstanceState } from '../instances/instance.ts'

export interface Association {
  readonly id: Id<'instance-profile-association'>
  readonly accountId: string
  readonly region: string
  readonly instanceId: Id<'instance'>
  /** `AIPA…`: a profile that is made anew by the same name is another. */
  readonly profileId: string
  readonly profileArn: string
  readonly madeAt: Date
}

export function parseAssociationId(text: string): Association['id'] {
  if (isId('instance-profile-association', text)) return text
  throw new ApiError('InvalidParameterValue', 'Invalid value for associationId.')
}

export const associationNotFound = (id: string): ApiError =>
  new ApiError('InvalidAssociationID.NotFound', `An invalid association-id of '${id}' was given`)

/** An instance has one profile. */
export const alreadyAssociated = (instanceId: string): ApiError =>
  new ApiError('IncorrectState', `There is an existing association for instance ${instanceId}`)

/** Refuses an instance that is not in one of `states`. */
export function checkState(
  { id, state }: Pick<Instance, 'id' | 'state'>,
  states: readonly InstanceState[],
): void {
  if (states.includes(state)) return
  const [first, second] = states.map((one) => `'${one}'`)
  const which = second === undefined ? `${first} state` : `${first} or ${second} states`
  throw new ApiError('IncorrectInstanceState', `The instance '${id}' is not in the ${which}`)
}

/** How a call says which profile. */
export interface ProfileSpec {
  readonly Arn?: string | undefined
  readonly Name?: string | undefined
}

/** Nothing where a call says nothing; refuses one that says it twice. */
export function readSpec(spec: ProfileSpec | undefined): ProfileSpec | undefined {
  if (!spec?.Arn && !spec?.Name) return undefined
  if (!spec.Arn || !spec.Name) return spec
  throw new ApiError(
    'InvalidParameterCombination',
    "The parameter 'iamInstanceProfile.name' may not be used in combination with " +
      "'iamInstanceProfile.arn'",
  )
}

export const invalidProfile = ({ Arn, Name = '' }: ProfileSpec): ApiError =>
  Arn
    ? invalidParameterValue('iamInstanceProfile.arn', Arn, 'Invalid IAM Instance Profile ARN')
    : invalidParameterValue('iamInstanceProfile.name', Name, 'Invalid IAM Instance Profile name')

export const profileWithoutRole = (arn: string): ApiError =>
  new ApiError('InvalidParameterValue', `IAM Instance Profile "${arn}" has no associated IAM Roles`)
