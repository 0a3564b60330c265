/**
 * The bases of this host: disks of the block store as files that volumes lie
 * over. One is made when the first volume needs it, shared by all that come
 * after, and goes when none names it any more.
 */
import type { BlockStore } from '../block-store/block-store.ts'
import type { Digest } from '../lib/digest.ts'
import { basePath, hasBase, listBases, removeBase } from '../qemu/base-files.ts'
import { Lanes } from '../reconcile/lanes.ts'

export class Bases {
  readonly #folder: string
  readonly #blockStore: Pick<BlockStore, 'writeDisk'>
  /** Making and removing a base never overlap. */
  readonly #lanes = new Lanes()

  constructor({
    folder,
    blockStore,
  }: {
    readonly folder: string
    readonly blockStore: Pick<BlockStore, 'writeDisk'>
  }) {
    this.#folder = folder
    this.#blockStore = blockStore
  }

  /** Answers the path of a base, when it is there and whole. A row has to name it by then. */
  async ensure(manifest: Digest): Promise<string> {
    const path = basePath(this.#folder, manifest)
    await this.#lanes.hold(manifest, async () => {
      if (await hasBase(this.#folder, manifest)) return
      await this.#blockStore.writeDisk(manifest, path)
    })
    return path
  }

  /** Removes the bases that `listLive` does not have, and tells how many. */
  async collect(listLive: () => Promise<ReadonlySet<Digest>>): Promise<number> {
    let count = 0
    const live = await listLive()
    const unnamed = (await listBases(this.#folder)).filter((digest) => !live.has(digest))
    for (const digest of unnamed) {
      await this.#lanes.hold(digest, async () => {
        // A volume that was recorded in the meantime waits in this lane, and its row is seen.
        if ((await listLive()).has(digest)) return
        await removeBase(this.#folder, digest)
        count++
      })
    }
    return count
  }
}
