import { requireOperator } from '../../iam/operator.ts'
import { ApiError } from '../../lib/errors.ts'
import type { Extension } from '../../wire/extension.ts'
import { nextFeed } from '../feed.ts'
import { BadRecord, readRecord } from '../osv.ts'
import { putRecords } from '../store.ts'

const recordsMax = 5000

/** Takes records of OSV. Images are scanned by them when the last ones of a feed have come. */
export const importAdvisories: Extension = {
  kind: 'write',
  action: 'ImportAdvisories',
  method: 'POST',
  path: '/imago/v1/advisories',
  async run({ input, tx, caller, now }) {
    // What they say of images goes for all accounts.
    await requireOperator(tx, caller, 'import advisories')
    const { records, isLast } = parseBody(input.body)
    const read = records.map((record, index) => {
      try {
        return readRecord(record)
      } catch (error) {
        if (!(error instanceof BadRecord)) throw error
        throw new ApiError('InvalidParameterValue', `Record ${index}: ${error.message}.`)
      }
    })
    const older = await putRecords(tx, read)
    const feed = isLast ? await nextFeed(tx, now) : undefined
    return { records: read.length, older, ...(feed && { feed: feed.number }) }
  },
}

function parseBody(body: unknown): {
  readonly records: readonly unknown[]
  readonly isLast: boolean
} {
  const fields: Readonly<Record<string, unknown>> =
    body !== null && typeof body === 'object' ? { ...body } : {}
  const { records = [], isLast = false, ...others } = fields
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) {
    throw new ApiError('UnknownParameter', `The parameter ${unknown} is not recognized`)
  }
  if (!Array.isArray(records) || records.length > recordsMax) {
    throw new ApiError('InvalidParameterValue', `records must be a list of at most ${recordsMax}.`)
  }
  if (typeof isLast !== 'boolean') {
    throw new ApiError('InvalidParameterValue', 'isLast must be true or false.')
  }
  return { records, isLast }
}
