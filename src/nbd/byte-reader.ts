/** Takes so many bytes at a time from a socket. What is not asked for is not read on. */
import type { Socket } from 'node:net'

export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]()
  }

  /** The next bytes, or nothing where the connection ends before. */
  async take(count: number): Promise<Buffer | undefined> {
    while (this.#rest.length < count) {
      // That it was cut off is an end, too.
      const next = await this.#chunks.next().catch(() => undefined)
      if (!next || next.done) return undefined
      this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value])
    }
    const bytes = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(count)
    return bytes
  }
}
