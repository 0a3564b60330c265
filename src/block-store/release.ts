/** Gives the memory of a large buffer back at once: to wait until it is collected costs far more. */
import { blockSizeBytes } from './block.ts'

/** What is shared with other threads, or belongs to a pool of small buffers, is left as it is. */
export function release({ buffer }: Uint8Array<ArrayBufferLike>): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= blockSizeBytes) buffer.transfer(0)
}
