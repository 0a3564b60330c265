/**
 * The `client_tokens` table: which calls have been made with a `ClientToken`,
 * and what they were answered, so that the same call twice is one call.
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
 */
import type { Tx } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'

export interface ClientToken {
  readonly accountId: string
  readonly region: string
  readonly action: string
  readonly token: string
}

/** How long a token is remembered. AWS says at least 24 hours. */
const keptMs = 24 * 60 * 60 * 1000

const tokenLengthMax = 64

/**
 * Takes a token for the call that is running. Gives the answer of the same call
 * before, or nothing where this is the first. Throws `IdempotentParameterMismatch`
 * where the call before had other parameters.
 */
export async function claimToken(
  tx: Tx,
  token: ClientToken,
  parametersDigest: string,
  now: Date,
): Promise<string | undefined> {
  if (token.token.length > tokenLengthMax || !/^[\x21-\x7e]+$/.test(token.token)) {
    throw new ApiError(
      'InvalidParameterValue',
      `Client token must be at most ${tokenLengthMax} ASCII characters`,
    )
  }
  await tx
    .deleteFrom('client_tokens')
    .where('created_at_ms', '<', now.getTime() - keptMs)
    .execute()
  // Inserted first: a call at the same time waits here until this one is over.
  const claimed = await tx
    .insertInto('client_tokens')
    .values({
      ...columns(token),
      parameters_digest: parametersDigest,
      answer: '',
      created_at_ms: now.getTime(),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('token')
    .executeTakeFirst()
  if (claimed) return undefined
  const earlier = await tx
    .selectFrom('client_tokens')
    .select(['parameters_digest', 'answer'])
    .where((where) => where.and(columns(token)))
    .executeTakeFirstOrThrow()
  if (earlier.parameters_digest === parametersDigest) return earlier.answer
  throw new ApiError(
    'IdempotentParameterMismatch',
    'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
  )
}

export async function keepAnswer(tx: Tx, token: ClientToken, answer: string): Promise<void> {
  await tx
    .updateTable('client_tokens')
    .set({ answer })
    .where((where) => where.and(columns(token)))
    .execute()
}

function columns({ accountId, region, action, token }: ClientToken) {
  return { account_id: accountId, region, action, token }
}
