/**
 * Policies of an organization: what each type may say and how much of it there may be,
 * and the one policy that AWS manages, which is attached wherever nothing else is said.
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
 */
import { ApiError } from '../lib/errors.ts'
import { parsePolicy } from '../policies/parse.ts'
import { checkAttributes } from './ec2-attributes.ts'
import { invalidInput, letters } from './organization.ts'

export type PolicyType = keyof typeof policyTypes

export interface OrganizationPolicy {
  readonly id: string
  readonly type: PolicyType
  readonly name: string
  readonly description: string
  readonly content: string
  readonly changedAt: Date
}

interface TypeRules {
  readonly lengthMax: number
  readonly attachedMax: number
  readonly policiesMax: number
  /** Throws where the content is none of the type. */
  readonly check: (content: string) => unknown
}

export const policyTypes = {
  SERVICE_CONTROL_POLICY: {
    lengthMax: 5120,
    attachedMax: 5,
    policiesMax: 10_000,
    check: (content) => parsePolicy(content, 'service control'),
  },
  DECLARATIVE_POLICY_EC2: {
    lengthMax: 10_000,
    attachedMax: 10,
    policiesMax: 1000,
    check: checkAttributes,
  },
} as const satisfies Record<string, TypeRules>

/** What AWS has and this service has not. */
const otherTypes = new Set([
  'AISERVICES_OPT_OUT_POLICY',
  'BACKUP_POLICY',
  'BEDROCK_POLICY',
  'CHATBOT_POLICY',
  'GUARDDUTY_POLICY',
  'INSPECTOR_POLICY',
  'NETWORK_SECURITY_DIRECTOR_POLICY',
  'RESOURCE_CONTROL_POLICY',
  'S3_POLICY',
  'SECURITYHUB_CSPM_POLICY',
  'SECURITYHUB_POLICY',
  'TAG_POLICY',
  'UPGRADE_ROLLOUT_POLICY',
])

/** Reads the name of a type. One that is AWS's alone is refused by its name. */
export function readPolicyType(text: string | undefined): PolicyType {
  if (text !== undefined && Object.hasOwn(policyTypes, text)) return text as PolicyType
  if (text !== undefined && otherTypes.has(text)) {
    throw new ApiError(
      'PolicyTypeNotAvailableForOrganizationException',
      `Policies of the type ${text} are not supported by Imago.`,
    )
  }
  throw new ApiError('InvalidInputException', `There is no type of policy ${text ?? ''}.`, {
    reason: 'INVALID_ENUM_POLICY_TYPE',
  })
}

/** Until another is attached beside it, everything has this one, so that all is allowed. */
export const fullAccess: OrganizationPolicy = {
  id: 'p-FullAWSAccess',
  type: 'SERVICE_CONTROL_POLICY',
  name: 'FullAWSAccess',
  description: 'Allows access to every operation',
  content: JSON.stringify(
    {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
    },
    undefined,
    2,
  ),
  changedAt: new Date(0),
}

export const isManaged = ({ id }: Pick<OrganizationPolicy, 'id'>): boolean => id === fullAccess.id

export const nameLengthMax = 128
const descriptionLengthMax = 512

/** Refuses a description that is too long; it may be empty. */
export function checkDescription(text: string): string {
  if (text.length <= descriptionLengthMax) return text
  throw new ApiError(
    'InvalidInputException',
    `The length of Description must be at most ${descriptionLengthMax}.`,
    { reason: 'MAX_LENGTH_EXCEEDED' },
  )
}

export const newPolicyId = (random: Uint8Array): string => `p-${letters(random, 8)}`

/** Such as the id of one that is made here, or of that of AWS. */
export const isPolicyId = (text: string): boolean => /^p-[0-9a-zA-Z_]{8,128}$/.test(text)

/** Refuses what the type cannot say. */
export function checkContent(type: PolicyType, content: string): string {
  const { lengthMax, check } = policyTypes[type]
  if (content.length > lengthMax) {
    throw new ApiError(
      'ConstraintViolationException',
      `You have exceeded the maximum size of a policy: ${lengthMax} characters.`,
      { reason: 'POLICY_CONTENT_LIMIT_EXCEEDED' },
    )
  }
  try {
    check(content)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    throw malformedPolicy(error.message)
  }
  return content
}

const malformedPolicy = (fault: string): ApiError =>
  new ApiError(
    'MalformedPolicyDocumentException',
    `The provided policy document does not meet the requirements of the specified policy type. ${fault}`,
  )

export const policyNotFound = (): ApiError =>
  new ApiError(
    'PolicyNotFoundException',
    "We can't find a policy with the PolicyId that you specified.",
  )

export const duplicatePolicy = (): ApiError =>
  new ApiError('DuplicatePolicyException', 'A policy with the same name already exists.')

/** What AWS manages stays as it is. */
export const immutablePolicy = (): ApiError =>
  new ApiError(
    'InvalidInputException',
    "You specified a policy that is managed by AWS and can't be modified.",
    { reason: 'IMMUTABLE_POLICY' },
  )

export const typeNotEnabled = (): ApiError =>
  new ApiError(
    'PolicyTypeNotEnabledException',
    "The specified policy type isn't currently enabled in this root.",
  )

export function checkPolicyId(text: string): string {
  if (isPolicyId(text)) return text
  throw invalidInput('You provided a value that does not match the required pattern.')
}
