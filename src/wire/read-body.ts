/**
 * Reads the body of a request whole. What it comes in is given back piece by piece: as
 * garbage, the pieces of large bodies would have it collected again and again.
 */
import type { IncomingMessage } from 'node:http'

export class BodyTooLong extends Error {}

/** Throws `BodyTooLong`, or what went wrong with the connection. */
export function readBody(message: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const said = Number(message.headers['content-length'] ?? 0)
  if (said > bytesMax) return Promise.reject(new BodyTooLong())
  let body = Buffer.allocUnsafeSlow(said)
  let length = 0
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  message.on('data', (chunk: Buffer) => {
    const end = length + chunk.length
    if (end > bytesMax) {
      message.pause()
      reject(new BodyTooLong())
      return
    }
    // Without a length it comes in chunks, and nobody knows how many.
    if (end > body.length) body = grown(body, length, Math.min(bytesMax, end * 2))
    chunk.copy(body, length)
    length = end
    const { buffer } = chunk
    if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.length) buffer.transfer(0)
  })
  message.on('end', () => resolve(length === body.length ? body : body.subarray(0, length)))
  message.on('error', reject)
  return promise
}

function grown(body: Buffer, length: number, size: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(size)
  body.copy(larger, 0, 0, length)
  return larger
}
