/** Gives the memory of a large buffer back at once: to wait until it is collected costs far more. */

const largeBytes = 128 * 1024

/** What is shared with other threads, or belongs to a pool of small buffers, is left as it is. */
export function release({ buffer }: Uint8Array<ArrayBufferLike>): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= largeBytes) buffer.transfer(0)
}
