/**
 * Memory that begins at a page, as direct I/O wants it (open(2), O_DIRECT). Node does not say where
 * a buffer begins; a memory of WebAssembly is made of pages.
 */

/** Lengths and places of direct I/O are multiples of that on every disk. */
export const sectorBytes = 4096
/** A file is written piece by piece. With smaller ones, the disk waits for whoever brings the next. */
export const pieceSizeBytes = 2 * 1024 * 1024

/** Of its types we need no more than this. */
declare const WebAssembly: {
  readonly Memory: new (size: {
    readonly initial: number
    readonly maximum: number
    readonly shared: true
  }) => { readonly buffer: SharedArrayBuffer }
}

const wasmPageBytes = 64 * 1024
const keptMax = 4

/** Shared with threads. The size is a multiple of 64 KiB. */
export function makePages(sizeBytes: number): Uint8Array<SharedArrayBuffer> {
  const count = sizeBytes / wasmPageBytes
  const size = { initial: count, maximum: count, shared: true } as const
  return new Uint8Array(new WebAssembly.Memory(size).buffer)
}

export class Pages {
  readonly #free: Uint8Array[] = []

  take(): Uint8Array {
    return this.#free.pop() ?? makePages(pieceSizeBytes)
  }

  /** The next one who takes some gets it, with whatever is in it. */
  give(piece: Uint8Array): void {
    if (this.#free.length < keptMax) this.#free.push(piece)
  }
}
