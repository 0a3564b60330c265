/**
 * An event: what EventBridge would tell an account of a change, and where it is in the order
 * of all that was told. Positions only grow, and are never given twice.
 * https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
 */

export interface Envelope {
  readonly version: '0'
  readonly id: string
  readonly 'detail-type': string
  readonly source: 'aws.ec2'
  readonly account: string
  readonly time: string
  readonly region: string
  readonly resources: readonly string[]
  readonly detail: Readonly<Record<string, unknown>>
}

export interface Event {
  readonly position: number
  readonly id: string
  readonly accountId: string
  readonly region: string
  /** Events of one resource come in their order. */
  readonly resourceId: string
  readonly at: Date
  /** The envelope, as JSON. */
  readonly body: string
}

/** What an account is told, before it has a place and an id. */
export interface Message {
  readonly accountId: string
  readonly detailType: string
  readonly resources: readonly string[]
  readonly detail: Readonly<Record<string, unknown>>
}

/** `2026-11-23T10:00:00Z` */
export const timeOf = (at: Date): string => at.toISOString().replace(/\.\d+Z$/, 'Z')

export function envelopeOf(
  message: Message,
  { id, at, region }: { readonly id: string; readonly at: Date; readonly region: string },
): Envelope {
  return {
    version: '0',
    id,
    'detail-type': message.detailType,
    source: 'aws.ec2',
    account: message.accountId,
    time: timeOf(at),
    region,
    resources: message.resources,
    detail: message.detail,
  }
}
