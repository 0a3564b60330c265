/** User data: what the caller leaves for the instance to read, Base64 on the wire and in the row. */
import { ApiError } from '../lib/errors.ts'

const bytesMax = 16 * 1024

/** Checks user data as a call brings it. */
export function checkUserData(base64: string | undefined): string | undefined {
  if (base64 === undefined || base64 === '') return undefined
  const text = base64.replace(/\s/g, '')
  const bytes = Buffer.from(text, 'base64')
  // Node skips what it cannot read, so only what comes back the same was Base64.
  const isBase64 = bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '')
  if (!isBase64) {
    throw new ApiError('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data.')
  }
  return encodeUserData(bytes)
}

/** User data whose bytes are known, as the row keeps it. */
export function encodeUserData(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined
  if (bytes.length > bytesMax) {
    throw new ApiError(
      'InvalidParameterValue',
      `User data is limited to ${bytesMax} bytes, and these are ${bytes.length}.`,
    )
  }
  return Buffer.from(bytes).toString('base64')
}
