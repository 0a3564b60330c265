/**
 * One upload. What it touches is pinned until it is closed, and it is to be
 * closed only when the database names what it stored: garbage collection takes
 * nothing that either of the two holds.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Digest } from '../lib/digest.ts'
import { type BlockKey, blockSizeBytes, digestOfKey, isZero, keyOf, zeroKey } from './block.ts'
import type { BlockCipher } from './block-cipher.ts'
import { BlockWriter } from './block-writer.ts'
import type { Claim } from './claims.ts'
import { type CopiedDisk, copyDisk } from './copy-disk.ts'
import type { DiskSource } from './disk-source.ts'
import { MissingBlock, MissingManifest, WrongDigest } from './errors.ts'
import { keyAt, type Manifest, manifestOf } from './manifest.ts'
import { encodedManifest } from './manifests.ts'
import type { Parts } from './parts.ts'
import { Pins } from './pins.ts'
import { release } from './release.ts'
import { type SavedDisk, saveDisk, type UploadParts, type WorkOptions } from './save-disk.ts'
import { type NextPacked, takeBlocks, type TakeOptions } from './take-blocks.ts'

/** How long a block waits for others at most before its pack is sealed. */
const lingerMsMax = 4

export class Upload {
  readonly #parts: Parts
  readonly #pins: Pins
  readonly #writer: BlockWriter
  readonly #closing = new AbortController()
  readonly #cipher: BlockCipher | undefined
  readonly #onClose: (finished: Promise<void>) => void
  readonly #finished = Promise.withResolvers<void>()
  /** How many single blocks wait for their pack to be sealed. */
  #unsealed = 0
  /** How many calls have lately been under way at once. */
  #crowd = 0
  #running = 0
  #isReleased = false
  /** The commit that takes blocks still, and the one that was begun last. */
  #next: Promise<void> | undefined
  #last: Promise<void> = Promise.resolve()

  /** `onClose` is told when the upload is closed, and waits for what then still has to be tidied. */
  constructor(
    parts: Parts,
    onClose: (finished: Promise<void>) => void,
    cipher: BlockCipher | undefined,
  ) {
    this.#cipher = cipher
    this.#parts = parts
    this.#pins = new Pins(parts.pins)
    this.#writer = new BlockWriter(parts, this.#pins)
    this.#onClose = onClose
  }

  /** When it resolves, the disk is in the store for good, as long as something holds its manifest. */
  async saveDisk(source: DiskSource, options: WorkOptions = {}): Promise<SavedDisk> {
    const signals = options.signal ? [options.signal] : []
    const signal = AbortSignal.any([this.#closing.signal, ...signals])
    const upload = this.#upload()
    return await this.#while(() => saveDisk(upload, source, { ...options, signal }))
  }

  /**
   * Stores a disk that is in the store already, under the cipher of this upload. The caller
   * holds it meanwhile.
   */
  async copyDisk(from: CopiedDisk, options: WorkOptions = {}): Promise<SavedDisk> {
    const signals = options.signal ? [options.signal] : []
    const signal = AbortSignal.any([this.#closing.signal, ...signals])
    const upload = this.#upload()
    return await this.#while(() => copyDisk(upload, from, { ...options, signal }))
  }

  /** Stores a whole block. Zeros need no place: they are named and not kept. */
  async putBlock(bytes: Uint8Array): Promise<Digest> {
    return (await this.storeBlock(new Uint8Array(bytes))).digest
  }

  /**
   * The same, for a buffer that is handed over. Tells how many bytes that added, too, and the
   * digest that is its name. Throws `WrongDigest` where it came with one that is not its own.
   */
  async storeBlock(
    bytes: Uint8Array,
    given?: Digest,
  ): Promise<{ readonly digest: Digest; readonly addedBytes: number }> {
    assert.equal(bytes.length, blockSizeBytes, 'a block has 512 KiB')
    const expected = given && keyOf(given)
    if (isZero(bytes)) {
      if (given && expected !== zeroKey) throw new WrongDigest(given)
      return { digest: digestOfKey(zeroKey), addedBytes: 0 }
    }
    const { buffer } = bytes
    const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length
    const plain = isWhole ? new Uint8Array(buffer) : new Uint8Array(bytes)
    return await this.#while(async () => {
      const claim = given && expected && !this.#cipher && this.#writer.decide([expected]).claim
      if (claim) return { digest: given, addedBytes: await this.#storeGiven(claim, given, plain) }
      const named = await this.#parts.pool.run('name', { plain, cipher: this.#cipher })
      if (given && named.plainKey !== expected) throw new WrongDigest(given)
      const addedBytes = await this.#putBlock(named.key, named.plain)
      return { digest: digestOfKey(named.key), addedBytes }
    })
  }

  /**
   * Stores blocks that come packed, from wherever: what counts is the digest of what is in them.
   * Throws `CorruptBlock`. They are kept as they are packed, where that is our form; tells how many
   * bytes that added. When it resolves, they are in the store for good.
   */
  async takeBlocks(next: NextPacked, options: TakeOptions = {}): Promise<number> {
    assert(!this.#cipher, 'a block that is to be encrypted has another name')
    const signals = options.signal ? [options.signal] : []
    const signal = AbortSignal.any([this.#closing.signal, ...signals])
    const upload = this.#upload()
    return await this.#while(() => takeBlocks(upload, next, { ...options, signal }))
  }

  /** Stores a manifest. Its blocks must be in the store. */
  async putManifest(manifest: Manifest): Promise<Digest> {
    return await this.#while(async () => {
      const blocks = new Map<number, BlockKey>()
      for (const [position, index] of manifest.indexes.entries()) {
        const key = keyAt(manifest, position)
        if (key === zeroKey) continue
        blocks.set(index, key)
        this.#pins.add(key)
        await this.#parts.claims.get(key)?.sealed
        if (!this.#parts.packs.index.has(key)) throw new MissingBlock(digestOfKey(key))
      }
      const encoded = encodedManifest(manifestOf(manifest.sizeBytes, blocks), this.#cipher)
      this.#pins.add(encoded.digest)
      await this.#parts.manifests.write(encoded, this.#parts.now().getTime())
      return encoded.digest
    })
  }

  #upload(): UploadParts {
    const [parts, pins, writer, cipher] = [this.#parts, this.#pins, this.#writer, this.#cipher]
    return { parts, pins, writer, cipher }
  }

  /** Keeps a manifest that is there, and its blocks, until the upload is closed. */
  hold(manifest: Digest): void {
    this.#closing.signal.throwIfAborted()
    this.#pins.add(manifest)
    if (!this.#parts.manifests.files().has(manifest)) throw new MissingManifest(manifest)
  }

  /** Lets go of everything. What is under way fails, and what is not sealed is thrown away. */
  close(): void {
    if (this.#closing.signal.aborted) return
    this.#onClose(this.#finished.promise)
    this.#closing.abort(new Error('The upload was closed'))
    this.#release()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async #putBlock(key: BlockKey, plain: Uint8Array<ArrayBuffer>): Promise<number> {
    for (;;) {
      this.#closing.signal.throwIfAborted()
      const { claim, others } = this.#writer.decide([key])
      const [other] = others.values()
      if (!claim && !other) release(plain)
      if (claim) {
        const addedBytes = await this.#write(claim, key, plain)
        await this.#commitSoon()
        await claim.sealed
        return addedBytes
      }
      if (!other) return 0
      const isSealed = await other.sealed.then(
        () => true,
        () => false,
      )
      if (!isSealed) continue
      release(plain)
      return 0
    }
  }

  /** It is found out what it is where it is packed: for that it has to be looked at anyway. */
  async #storeGiven(claim: Claim, given: Digest, plain: Uint8Array<ArrayBuffer>): Promise<number> {
    const addedBytes = await this.#writePacked(claim, async () => {
      const { packed } = await this.#parts.pool.run('packGiven', { plain, key: keyOf(given) })
      if (packed) return packed
      throw new WrongDigest(given)
    })
    await this.#commitSoon()
    await claim.sealed
    return addedBytes
  }

  async #write(claim: Claim, key: BlockKey, plain: Uint8Array<ArrayBuffer>): Promise<number> {
    return await this.#writePacked(claim, async () => {
      const input = { plain, positions: [0], keys: [key], cipher: this.#cipher }
      return (await this.#parts.pool.run('pack', input)).packed
    })
  }

  async #writePacked(claim: Claim, pack: () => Promise<Uint8Array>): Promise<number> {
    try {
      const packed = await pack()
      const addedBytes = packed.length
      await this.#writer.write(claim, [packed])
      this.#unsealed++
      release(packed)
      return addedBytes
    } catch (error) {
      claim.abandon(error)
      throw error
    }
  }

  /**
   * Blocks that arrive while others are being sealed share the next pack, and with those that
   * can be expected in a moment: who puts many at once waits for all anyway, and each pack costs
   * some waits for the disk. Half of the crowd is in one pack while the other half is on its way.
   */
  async #commitSoon(): Promise<void> {
    this.#next ??= this.#commitAfter(this.#last)
    this.#last = this.#next
    await this.#next
  }

  async #commitAfter(last: Promise<void>): Promise<void> {
    await last
    this.#crowd = Math.max(this.#running, this.#crowd - 1)
    for (let ms = 0; ms < lingerMsMax && this.#unsealed < this.#crowd / 2; ms++) await sleep(1)
    this.#next = undefined
    this.#unsealed = 0
    await this.#writer.seal()
  }

  async #while<T>(work: () => Promise<T>): Promise<T> {
    this.#closing.signal.throwIfAborted()
    this.#running++
    try {
      return await work()
    } finally {
      this.#running--
      if (this.#closing.signal.aborted) this.#release()
    }
  }

  #release(): void {
    if (this.#running > 0 || this.#isReleased) return
    this.#isReleased = true
    this.#pins.release()
    this.#finished.resolve(this.#writer.discard())
  }
}
