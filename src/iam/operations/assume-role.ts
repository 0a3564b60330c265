/**
 * Gives credentials of a role, for a while, to whom its trust policy names.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
import type { AssumeRoleRequest, AssumeRoleResponse } from '@aws-sdk/client-sts'
import { readOperation } from '../../wire/operation.ts'
import { ApiError, unsupportedParameter } from '../../lib/errors.ts'
import { parsePolicy } from '../../policies/parse.ts'
import { lengthOf, policyKinds } from '../../policies/policy.ts'
import { tagsOfRequest } from '../ec2-resources.ts'
import { requireTrusted } from '../find-role.ts'
import { requireAttachable } from '../find-policy.ts'
import { checkDuration, makeSession } from '../session.ts'
import { sessionTags } from '../session-tags.ts'
import { sessionSecondsUsual } from '../trust.ts'

/** What is not honoured is refused, and never ignored. */
const refused = ['ProvidedContexts', 'SerialNumber', 'SourceIdentity', 'TokenCode'] as const

const arnsMax = 10
const tooLong = 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.'
const tooLongInChain =
  'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining'

const tooLarge = (): ApiError =>
  new ApiError('PackedPolicyTooLarge', 'Packed size of policy exceeds the limit.')

function faultOfSessionName(name: string): string | undefined {
  if (name.length < 2) return 'have length greater than or equal to 2'
  if (name.length > 64) return 'have length less than or equal to 64'
  if (!/^[\w+=,.@-]+$/.test(name)) return 'satisfy regular expression pattern: [\\w+=,.@-]*'
  return undefined
}

export const assumeRole = readOperation<AssumeRoleRequest, AssumeRoleResponse>({
  service: 'sts',
  action: 'AssumeRole',
  demands: () => [],

  async run({ db, input, caller, now, readers }) {
    for (const name of refused) if (input[name] !== undefined) throw unsupportedParameter(name)
    const { RoleArn = '', RoleSessionName: name = '', ExternalId, Policy: policy } = input
    const fault = faultOfSessionName(name)
    if (fault !== undefined) {
      throw new ApiError(
        'ValidationError',
        `1 validation error detected: Value '${name}' at 'roleSessionName' failed to satisfy ` +
          `constraint: Member must ${fault}`,
      )
    }
    const tags = sessionTags(input, caller)
    const keys = {
      'sts:ExternalId': ExternalId,
      'sts:RoleSessionName': name,
      'sts:TransitiveTagKeys': tags.filter((tag) => tag.isTransitive).map(({ key }) => key),
      ...tagsOfRequest(tags),
    }
    const { role, details } = await requireTrusted(db, caller, RoleArn, keys)
    if (tags.length > 0) await requireTrusted(db, caller, RoleArn, keys, 'sts:TagSession')
    const isChained = caller.principal.kind === 'session'
    const { DurationSeconds: asked = sessionSecondsUsual } = input
    const seconds = isChained
      ? checkDuration(asked, sessionSecondsUsual, tooLongInChain)
      : checkDuration(asked, details.sessionSecondsMax, tooLong)
    if (policy !== undefined) {
      parsePolicy(policy, 'session')
      if (lengthOf(policy) > policyKinds.session.lengthMax) throw tooLarge()
    }
    const policyArns = (input.PolicyArns ?? []).map(({ arn = '' }) => arn)
    if (policyArns.length > arnsMax) throw tooLarge()
    for (const arn of policyArns) await requireAttachable(db, arn, role.accountId)
    const { accountId, id: entityId } = role
    const issuedAtMs = now.getTime()
    const expiresAtMs = issuedAtMs + seconds * 1000
    const session = { accountId, entityId, name, issuedAtMs, expiresAtMs, policy, policyArns, tags }
    const { randomBytes, masterKey: sealer } = readers
    return {
      Credentials: makeSession(session, { randomBytes, sealer }),
      AssumedRoleUser: {
        AssumedRoleId: `${role.id}:${name}`,
        Arn: `arn:aws:sts::${accountId}:assumed-role/${role.name}/${name}`,
      },
    }
  },
})
