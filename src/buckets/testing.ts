/** An object of a bucket for tests: bytes in memory. */
import { type StoredObject, TruncatedObject } from './buckets.ts'

export function objectOf(bytes: Buffer): StoredObject {
  return {
    sizeBytes: bytes.length,
    async fill(pages, offset) {
      const found = bytes.subarray(offset, offset + pages.length)
      pages.set(found)
      return found.length
    },
    async read(offset, length) {
      if (offset + length > bytes.length) throw new TruncatedObject('it')
      return Buffer.from(new Uint8Array(bytes.subarray(offset, offset + length)).buffer)
    },
    [Symbol.asyncDispose]: async () => {},
  }
}
