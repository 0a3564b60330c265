/**
 * Finds events of the account in the Region of the call, the newest first.
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
 */
import type { LookupEventsRequest, LookupEventsResponse } from '@aws-sdk/client-cloudtrail'
import { ApiError } from '../../lib/errors.ts'
import { readOperation } from '../../wire/operation.ts'
import { listResourcesOf, lookUpEvents, type LookupKey } from '../store.ts'
import { formatLookupToken, parseLookupToken } from '../lookup-token.ts'

const resultsMax = 50

const keys: Readonly<Record<string, LookupKey>> = {
  AccessKeyId: 'access_key_id',
  EventId: 'event_id',
  EventName: 'action',
  EventSource: 'event_source',
  ReadOnly: 'is_read_only',
  ResourceName: 'resource_name',
  ResourceType: 'resource_type',
  Username: 'user_name',
}

export const lookupEvents = readOperation<LookupEventsRequest, LookupEventsResponse>({
  service: 'cloudtrail',
  action: 'LookupEvents',

  async run({ db, input, caller, region }) {
    const { StartTime: from, EndTime: to, MaxResults = resultsMax, EventCategory } = input
    if (MaxResults < 1 || MaxResults > resultsMax) {
      throw new ApiError('InvalidMaxResultsException', 'MaxResults must be from 1 to 50.')
    }
    if (from && to && from > to) {
      throw new ApiError('InvalidTimeRangeException', 'The start time is after the end time.')
    }
    if (EventCategory !== undefined) {
      throw new ApiError('InvalidEventCategoryException', 'Insights events are not recorded.')
    }
    const wanted = readAttribute(input)
    // A token goes on with the same question only.
    const question = JSON.stringify([wanted, from, to])
    const before = parseLookupToken(input.NextToken, question)
    const { accountId } = caller
    const query = { accountId, region, from, to, before, limit: MaxResults + 1, ...wanted }
    const found = await lookUpEvents(db, query)
    const events = found.slice(0, MaxResults)
    const last = events.at(-1)
    const resources = await listResourcesOf(
      db,
      events.map(({ sequence }) => sequence),
    )
    return {
      Events: events.map((event) => ({
        EventId: event.eventId,
        EventName: event.action,
        ReadOnly: String(event.isReadOnly),
        AccessKeyId: event.accessKeyId,
        EventTime: event.at,
        EventSource: event.eventSource,
        Username: event.userName,
        Resources: (resources.get(event.sequence) ?? []).map(({ type, name }) => ({
          ResourceType: type,
          ResourceName: name,
        })),
        CloudTrailEvent: event.record,
      })),
      NextToken:
        found.length > events.length && last
          ? formatLookupToken(last.sequence, question)
          : undefined,
    }
  },
})

/** One attribute at most, as AWS has it. */
function readAttribute({ LookupAttributes = [] }: LookupEventsRequest) {
  const [attribute, ...more] = LookupAttributes
  if (!attribute) return { key: undefined, value: '' }
  const { AttributeKey = '', AttributeValue = '' } = attribute
  const key = Object.hasOwn(keys, AttributeKey) ? keys[AttributeKey] : undefined
  if (more.length > 0 || !key) {
    const rule = `one attribute, of ${Object.keys(keys).join(', ')}`
    throw new ApiError('InvalidLookupAttributesException', `Expected ${rule}.`)
  }
  if (key !== 'is_read_only') return { key, value: AttributeValue }
  if (AttributeValue !== 'true' && AttributeValue !== 'false')
    throw new ApiError('InvalidLookupAttributesException', 'ReadOnly is true or false.')
  return { key, value: AttributeValue === 'true' ? 1 : 0 }
}
