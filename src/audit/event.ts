/**
 * An event: one call, allowed or refused, as the trail keeps it. Its record is the
 * JSON of CloudTrail, and never has what the schemas call sensitive.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 */
import { createHash } from 'node:crypto'

/** Somebody whose signature held. */
export interface Principal {
  readonly accountId: string
  readonly arn: string
  readonly userId: string
  readonly accessKeyId: string
}

export interface AuditEvent {
  readonly requestId: string
  readonly at: Date
  /** `ec2`, or `imago` for our own API. */
  readonly service: string
  readonly action: string
  readonly isReadOnly: boolean
  /** `Success`, or the code of the error. */
  readonly outcome: string
  readonly message: string | undefined
  readonly region: string | undefined
  readonly principal: Principal | undefined
  /** The key that a call named which nobody has signed. */
  readonly claimedKeyId: string | undefined
  readonly sourceAddress: string | undefined
  readonly userAgent: string | undefined
  /** What the call was given, without its secrets. */
  readonly parameters: unknown
  readonly resources: readonly Resource[]
}

export interface Resource {
  /** `AWS::EC2::Instance` */
  readonly type: string
  readonly name: string
}

/** In the trail of the account that called, and of each whose image or snapshot was used. */
export interface KeptEvent {
  readonly accountId: string
  readonly position: number
  readonly record: string
  readonly hash: string
}

/** By what a lookup finds an event, and what it says of it beside the record. */
export interface Listed {
  readonly requestId: string | null
  readonly userArn: string | null
  readonly region: string | null
  readonly action: string | null
  readonly outcome: string | null
  /** In whole seconds. */
  readonly time: string | null
  readonly eventId: string | null
  readonly eventSource: string | null
  readonly userName: string | null
  readonly accessKeyId: string | null
  readonly isReadOnly: boolean | null
  /** `AWS::EC2::Instance i-0123456789abcdef0`, in their order. */
  readonly resources: readonly string[]
}

/** Calls that nobody has signed are a trail of their own. */
export const nobody = ''

const textMax = 1024
const parametersMax = 64 * 1024

export const userNameOf = (arn: string): string => arn.split('/').at(-1) ?? arn

/** The record of an event in the trail of one account, as the JSON that is hashed. */
export function recordOf(
  event: AuditEvent,
  { eventId, accountId }: { readonly eventId: string; readonly accountId: string },
): string {
  const { principal, outcome, resources, region } = event
  const isRefused = outcome !== 'Success'
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: identityOf(event),
    eventTime: timeOf(event.at),
    eventSource: sourceOf(event.service),
    eventName: event.action,
    awsRegion: region,
    sourceIPAddress: event.sourceAddress,
    userAgent: event.userAgent?.slice(0, textMax),
    ...(isRefused && {
      errorCode: outcome,
      errorMessage: withoutSecrets(event.message)?.slice(0, textMax),
    }),
    ...parametersOf(event.parameters),
    requestID: event.requestId,
    eventID: eventId,
    readOnly: event.isReadOnly,
    ...(resources.length > 0 && {
      resources: resources.map(({ type, name }) => ({ type, resourceName: name })),
    }),
    eventType: 'AwsApiCall',
    managementEvent: event.service !== 'ebs',
    recipientAccountId: accountId || undefined,
    ...(principal && principal.accountId !== accountId && { sharedEventID: event.requestId }),
    eventCategory: event.service === 'ebs' ? 'Data' : 'Management',
  })
}

interface CloudTrailRecord {
  readonly userIdentity: { readonly arn?: string; readonly accessKeyId?: string }
  readonly eventTime: string
  readonly eventSource: string
  readonly eventName: string
  readonly awsRegion?: string
  readonly errorCode?: string
  readonly requestID: string
  readonly eventID: string
  readonly readOnly: boolean
  readonly resources?: readonly { readonly type: string; readonly resourceName: string }[]
}

/** How an event has to be listed, by its record. */
export function listedAs(record: string): Listed {
  const said = JSON.parse(record) as CloudTrailRecord
  const { arn, accessKeyId } = said.userIdentity
  // No database keeps half a character.
  const kept = (text: string | undefined) => text?.toWellFormed() ?? null
  return {
    requestId: kept(said.requestID),
    userArn: kept(arn),
    region: kept(said.awsRegion),
    action: kept(said.eventName),
    outcome: kept(said.errorCode ?? 'Success'),
    time: said.eventTime,
    eventId: kept(said.eventID),
    eventSource: kept(said.eventSource),
    userName: kept(arn && userNameOf(arn)),
    accessKeyId: kept(accessKeyId),
    isReadOnly: said.readOnly,
    resources: namesOf((said.resources ?? []).map((one) => ({ ...one, name: one.resourceName }))),
  }
}

export const namesOf = (resources: readonly Resource[]): readonly string[] =>
  resources.map(({ type, name }) => `${type} ${name}`.toWellFormed()).sort()

export const timeOf = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z')

export const sourceOf = (service: string): string => `${service}.amazonaws.com`

/** What ties an event to the one before it: change, leave out or swap one, and no later hash is right. */
export function hashOf(
  previousHash: string,
  { accountId, position, record }: Omit<KeptEvent, 'hash'>,
): string {
  return createHash('sha256')
    .update(`${previousHash}\n${accountId}\n${position}\n${record}`)
    .digest('hex')
}

function identityOf({ principal, claimedKeyId }: AuditEvent): object {
  if (!principal) return { type: 'Unknown', accessKeyId: claimedKeyId }
  const { accountId, arn, userId, accessKeyId } = principal
  const isRoot = arn.endsWith(':root')
  const type = isRoot ? 'Root' : arn.includes(':assumed-role/') ? 'AssumedRole' : 'IAMUser'
  return {
    type,
    principalId: userId,
    arn,
    accountId,
    accessKeyId,
    ...(type === 'IAMUser' && { userName: userNameOf(arn) }),
  }
}

/** CloudTrail leaves parameters out where they are too long, and says so. */
function parametersOf(parameters: unknown): object {
  if (parameters === undefined) return {}
  const text = JSON.stringify(parameters, (_name, value: unknown) => {
    if (typeof value === 'string') return withoutSecrets(value)
    return value instanceof Uint8Array ? `[${value.length} bytes]` : value
  })
  if (text.length > parametersMax) return { requestParametersOmitted: true }
  return { requestParameters: JSON.parse(text) as unknown }
}

/** Who one is at a URL, and what signs it, is nobody's to read later. */
function withoutSecrets(text: string | undefined): string | undefined {
  return text?.replace(
    /:\/\/([^\s/?#]*@)?([^\s?#]*)(\?[^\s#]+)?/g,
    (_all, user: string | undefined, place: string, query: string | undefined) =>
      `://${user ? '[secret]@' : ''}${place}${query ? '?[secret]' : ''}`,
  )
}
