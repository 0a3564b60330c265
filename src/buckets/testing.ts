/** An object of a bucket for tests: bytes in memory. */
import { type StoredObject, TruncatedObject } from './buckets.ts'

export function objectOf(bytes: Buffer): StoredObject {
  const fill = async (into: Uint8Array, offset: number) => {
    if (offset + into.length > bytes.length) throw new TruncatedObject('it')
    into.set(bytes.subarray(offset, offset + into.length))
  }
  return {
    sizeBytes: bytes.length,
    fill,
    async read(offset, length) {
      if (offset + length > bytes.length) throw new TruncatedObject('it')
      const read = Buffer.from(new ArrayBuffer(length))
      await fill(read, offset)
      return read
    },
    [Symbol.asyncDispose]: async () => {},
  }
}
