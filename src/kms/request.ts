/** What the calls of the Key Management Service bring, read and checked. */
import { ApiError } from '../lib/errors.ts'
import { type Page, page } from '../lib/pages.ts'
import { checkTags, type Tag } from '../tags/tag.ts'
import { blobBytesMax, plaintextBytesMax } from './blob.ts'
import { constraint, unsupported, validation } from './key.ts'
import { descriptionLengthMax } from './unknowns.ts'

/** The one algorithm of symmetric keys, by the name that AWS gives it. */
export const algorithm = 'SYMMETRIC_DEFAULT'

const otherAlgorithms = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE']

export function checkAlgorithm(text: string | undefined): void {
  if (text === undefined || text === algorithm) return
  if (otherAlgorithms.includes(text)) {
    throw new ApiError(
      'InvalidKeyUsageException',
      `Algorithm ${text} is incompatible with key spec ${algorithm}.`,
    )
  }
  const valid = [...otherAlgorithms, algorithm].join(', ')
  throw constraint('encryptionAlgorithm', `satisfy enum value set: [${valid}]`, text)
}

/** What is not there is refused by its name, and never passed over. */
export function refuseUnsupported(input: {
  readonly GrantTokens?: readonly string[] | undefined
  readonly Recipient?: object | undefined
  readonly DryRunModifiers?: readonly string[] | undefined
}): void {
  if (input.Recipient) throw unsupported('The parameter Recipient')
  if (input.DryRunModifiers?.length) throw unsupported('The parameter DryRunModifiers')
  if (!input.GrantTokens?.length) return
  throw new ApiError(
    'InvalidGrantTokenException',
    'The grant token is not valid: there are no grants.',
  )
}

export function readPlaintext(bytes: Uint8Array | undefined): Uint8Array {
  return readBytes('plaintext', bytes, plaintextBytesMax)
}

export function readBlob(bytes: Uint8Array | undefined): Uint8Array {
  return readBytes('ciphertextBlob', bytes, blobBytesMax)
}

function readBytes(path: string, bytes: Uint8Array | undefined, max: number): Uint8Array {
  if (!bytes) throw constraint(path, 'not be null')
  if (bytes.length === 0) throw constraint(path, 'have length greater than or equal to 1')
  if (bytes.length > max) throw constraint(path, `have length less than or equal to ${max}`)
  return bytes
}

/** How many bytes a data key has. */
export function readDataKeyBytes(input: {
  readonly KeySpec?: string | undefined
  readonly NumberOfBytes?: number | undefined
}): number {
  const { KeySpec, NumberOfBytes } = input
  if ((KeySpec === undefined) === (NumberOfBytes === undefined))
    throw validation('Please specify either number of bytes or key spec.')
  if (KeySpec === 'AES_256') return 32
  if (KeySpec === 'AES_128') return 16
  if (NumberOfBytes === undefined)
    throw constraint('keySpec', 'satisfy enum value set: [AES_256, AES_128]', KeySpec)
  if (NumberOfBytes < 1)
    throw constraint('numberOfBytes', 'have value greater than or equal to 1', NumberOfBytes)
  if (NumberOfBytes > 1024)
    throw constraint('numberOfBytes', 'have value less than or equal to 1024', NumberOfBytes)
  return NumberOfBytes
}

export function readDescription(text: string | undefined): string {
  if (text === undefined || text.length <= descriptionLengthMax) return text ?? ''
  throw constraint('description', `have length less than or equal to ${descriptionLengthMax}`, text)
}

interface TagInput {
  readonly TagKey?: string | undefined
  readonly TagValue?: string | undefined
}

/** The tags of a call, in the words of this service where they cannot be. */
export function readKeyTags(input: readonly TagInput[] | undefined): readonly Tag[] {
  const tags = (input ?? []).map(({ TagKey = '', TagValue = '' }) => ({
    key: TagKey,
    value: TagValue,
  }))
  return checkKeyTags(tags)
}

export function checkKeyTags(tags: readonly Tag[]): readonly Tag[] {
  try {
    return checkTags(tags)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const isCount = error.code === 'TagLimitExceeded'
    throw new ApiError(isCount ? 'LimitExceededException' : 'TagException', error.message)
  }
}

/** A page of a list, as this service asks for it and answers it. */
export function pageOf<Item>(
  items: readonly Item[],
  { Limit, Marker }: { readonly Limit?: number | undefined; readonly Marker?: string | undefined },
  key: (item: Item) => string,
  limits: { readonly usual: number; readonly max: number },
): { readonly items: readonly Item[]; readonly Truncated: boolean; readonly NextMarker?: string } {
  if (Limit !== undefined && (Limit < 1 || Limit > limits.max)) {
    const rule = Limit < 1 ? 'greater than or equal to 1' : `less than or equal to ${limits.max}`
    throw constraint('limit', `have value ${rule}`, Limit)
  }
  const query = { MaxResults: Limit ?? limits.usual, NextToken: Marker }
  const found: Page<Item> = page(items, query, key, { min: 1, max: limits.max })
  const { NextToken } = found
  return {
    items: found.items,
    Truncated: NextToken !== undefined,
    ...(NextToken !== undefined && { NextMarker: NextToken }),
  }
}
