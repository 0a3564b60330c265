/**
 * Memory that begins at a page, as direct I/O wants it, for one piece of a file after
 * another. Node does not say where a buffer begins; a memory of WebAssembly is made of pages.
 */
export const pieceSizeBytes = 512 * 1024

/** Of its types we need no more than this. */
declare const WebAssembly: {
  readonly Memory: new (size: {
    readonly initial: number
    readonly maximum: number
    readonly shared: true
  }) => { readonly buffer: SharedArrayBuffer }
}

const wasmPageBytes = 64 * 1024
const keptMax = 8

export class Pages {
  readonly #free: Uint8Array[] = []

  take(): Uint8Array {
    const count = pieceSizeBytes / wasmPageBytes
    const size = { initial: count, maximum: count, shared: true } as const
    return this.#free.pop() ?? new Uint8Array(new WebAssembly.Memory(size).buffer)
  }

  /** The next one who takes some gets it, with whatever is in it. */
  give(piece: Uint8Array): void {
    if (this.#free.length < keptMax) this.#free.push(piece)
  }
}
