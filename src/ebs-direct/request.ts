/** What calls of the direct APIs bring, checked. */
import type { Digest } from '../lib/digest.ts'
import { ApiError } from '../lib/errors.ts'
import { readTags, type Tag, type TagInput } from '../tags/tag.ts'
import {
  checkAlgorithm,
  digestOfChecksum,
  directBlockSizeBytes,
  invalid,
} from './direct-snapshot.ts'
import { wrongChecksumReason } from './unknowns.ts'

const descriptionMax = 255

/** What a block that came whole says of itself: whether it is that, the block store finds out. */
export function readBlock(input: {
  readonly BlockData: Uint8Array
  readonly DataLength: number | undefined
  readonly Checksum: string | undefined
  readonly ChecksumAlgorithm: string | undefined
  readonly Progress?: number | undefined
}): Digest {
  const { BlockData, DataLength, Progress = 0 } = input
  checkAlgorithm(input.ChecksumAlgorithm)
  if (Progress < 0 || Progress > 100) {
    throw invalid('INVALID_PARAMETER_VALUE', 'The progress must be from 0 to 100.')
  }
  if (DataLength !== directBlockSizeBytes || BlockData.length !== directBlockSizeBytes) {
    const length = DataLength === directBlockSizeBytes ? BlockData.length : DataLength
    throw invalid(
      'INVALID_BLOCK',
      `A block must have ${directBlockSizeBytes} bytes. This one has ${length}.`,
    )
  }
  const digest = digestOfChecksum(input.Checksum ?? '')
  if (digest === undefined) throw wrongChecksum()
  return digest
}

export const wrongChecksum = (): ApiError =>
  invalid(wrongChecksumReason, 'The checksum is not that of the data of the block.')

export function readDescription(text = ''): string {
  if (/^[\S ]{0,255}$/.test(text)) return text
  const rule = `The description must be a line of at most ${descriptionMax} characters.`
  throw invalid('INVALID_PARAMETER_VALUE', rule)
}

/** As everywhere, but for what the service calls the reason. */
export function readDirectTags(input: readonly TagInput[] | undefined): readonly Tag[] {
  try {
    return readTags(input)
  } catch (error) {
    throw error instanceof ApiError ? invalid('INVALID_TAG', error.message) : error
  }
}
