import { ApiError, invalidParameterValue, missingParameter } from '../../lib/errors.ts'
import { Secret } from '../../lib/secret.ts'
import { checkUrl, OutboundRefused } from '../../outbound/request.ts'
import type { OutboundRules } from '../../outbound/rules.ts'
import type { Extension } from '../../wire/extension.ts'
import { requireSafe } from '../deliver.ts'
import { parsePattern } from '../pattern.ts'
import {
  formatSecret,
  formatSubscriptionId,
  secretBytes,
  subscriptionsMax,
} from '../subscription.ts'
import { insertSubscription, listSubscriptions } from '../subscription-store.ts'
import { viewSubscription } from '../view.ts'

/** Has the events of the account and Region sent to a URL. The secret is told now and never again. */
export const createEventSubscription: Extension = {
  kind: 'write',
  action: 'CreateEventSubscription',
  method: 'POST',
  path: '/imago/v1/event-subscriptions',
  async run({ input, tx, caller, region, now, randomBytes, readers }) {
    const { accountId } = caller
    const { body } = input
    const fields = new Map(Object.entries(body !== null && typeof body === 'object' ? body : {}))
    const url = readUrl(fields.get('url'), readers.outbound)
    const given: unknown = fields.get('pattern')
    const pattern = given === null ? undefined : given
    if (pattern !== undefined) parsePattern(pattern)
    const others = await listSubscriptions(tx, { accountId, region })
    if (others.length >= subscriptionsMax) {
      const message = `An account can have ${subscriptionsMax} subscriptions in a Region.`
      throw new ApiError('ResourceLimitExceeded', message)
    }
    const made = {
      id: formatSubscriptionId(randomBytes(9)),
      accountId,
      region,
      url,
      pattern,
      createdAt: now,
      deliveredAt: undefined,
    }
    const secret = new Secret(formatSecret(randomBytes(secretBytes)))
    await insertSubscription(tx, made, { secret, sealer: readers.masterKey })
    const owed = { waiting: 0, dead: 0, reason: undefined }
    return { ...viewSubscription(made, owed), secret: secret.reveal() }
  },
}

const urlLengthMax = 2048

function readUrl(value: unknown, rules: OutboundRules): string {
  if (value === undefined || value === '') throw missingParameter('url')
  const text = typeof value === 'string' ? value : ''
  const shown = text.slice(0, 200)
  if (text.length > urlLengthMax || !URL.canParse(text)) {
    throw invalidParameterValue('url', shown, 'It must be an https URL.')
  }
  const url = new URL(text)
  if (url.username || url.password || url.hash) {
    throw invalidParameterValue('url', '[secret]', 'It must have no name, password or fragment.')
  }
  try {
    checkUrl(rules, url)
    requireSafe(rules, url)
  } catch (error) {
    if (error instanceof OutboundRefused) throw invalidParameterValue('url', shown, error.message)
    throw error
  }
  return url.href
}
