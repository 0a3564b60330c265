/**
 * Finds the blocks in a pack whose index cannot be trusted: each is a zstd frame, which
 * says itself how long it is, and its content says its name; or a sealed one, which says
 * both. Where one is damaged, the search goes on at the next place that looks like the
 * beginning of one.
 */
import { type BlockKey, keyOfBytes, unpackWhole } from './block.ts'
import { frameLength, frameMagic } from './frame.ts'
import { sealedLength, sealedMagic, sealedNameOf } from './sealed-block.ts'

export interface Salvaged {
  readonly key: BlockKey
  /** As it lies there. */
  readonly packed: Uint8Array
}

/** Every whole block there is in the bytes of a pack. */
export function* salvage(pack: Uint8Array): Generator<Salvaged> {
  const bytes = Buffer.from(pack.buffer, pack.byteOffset, pack.length)
  const search = (magic: Buffer, from: number) => {
    const place = bytes.indexOf(magic, from)
    return place === -1 ? Infinity : place
  }
  // Each is looked for once over all of the pack: what comes next is known until it is passed.
  let frame = search(frameMagic, 0)
  let sealed = search(sealedMagic, 0)
  for (;;) {
    const at = Math.min(frame, sealed)
    if (at === Infinity) return
    const found = blockAt(bytes, at)
    if (found) yield found
    const end = at + (found ? found.packed.length : 1)
    if (frame < end) frame = search(frameMagic, end)
    if (sealed < end) sealed = search(sealedMagic, end)
  }
}

function blockAt(bytes: Buffer, at: number): Salvaged | undefined {
  const rest = bytes.subarray(at)
  const sealed = sealedLength(rest)
  const length = sealed ?? frameLength(bytes, at)
  if (length === undefined || length > rest.length) return undefined
  const packed = rest.subarray(0, length)
  if (sealed !== undefined) {
    const key = sealedNameOf(packed)
    return key === undefined ? undefined : { key, packed }
  }
  const plain = unpackWhole(packed)
  return plain && { key: keyOfBytes(plain), packed }
}
