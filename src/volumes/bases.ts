/**
 * The bases of this host: disks of the block store as files that volumes lie
 * over. One is made when the first volume needs it, shared by all that come
 * after, and goes when none names it any more.
 */
import { blockSizeBytes } from '../block-store/block.ts'
import type { BlockStore } from '../block-store/block-store.ts'
import {
  type Base,
  baseName,
  basePath,
  hasBase,
  listBases,
  removeBase,
} from '../qemu/base-files.ts'
import { layOutBase } from '../qemu/encrypted-base.ts'
import { Lanes } from '../reconcile/lanes.ts'
import { cipherUnder, keyOfBase, type OpenDiskKey } from './disk-keys.ts'

export class Bases {
  readonly #folder: string
  readonly #blockStore: Pick<BlockStore, 'writeDisk'>
  readonly #openDiskKey: OpenDiskKey
  /** Making and removing a base never overlap. */
  readonly #lanes = new Lanes()

  constructor({
    folder,
    blockStore,
    openDiskKey,
  }: {
    readonly folder: string
    readonly blockStore: Pick<BlockStore, 'writeDisk'>
    readonly openDiskKey: OpenDiskKey
  }) {
    this.#folder = folder
    this.#blockStore = blockStore
    this.#openDiskKey = openDiskKey
  }

  /**
   * Answers the path of a base, when it is there and whole. A row has to name it by then.
   * Its content is under `storedKeyArn` in the store, which may be another key than the file's.
   */
  async ensure(base: Base, storedKeyArn: string | undefined): Promise<string> {
    const path = basePath(this.#folder, base)
    await this.#lanes.hold(baseName(base), async () => {
      if (await hasBase(this.#folder, base)) return
      const cipher = await cipherUnder(storedKeyArn, this.#openDiskKey)
      const key = await keyOfBase(base, this.#openDiskKey)
      await this.#blockStore.writeDisk(base.manifest, path, {
        cipher,
        ...(key && { layOut: (disk) => layOutBase(key, { ...disk, blockSizeBytes }) }),
      })
    })
    return path
  }

  /** Removes the bases that `listLive` does not have, and tells how many. */
  async collect(listLive: () => Promise<readonly Base[]>): Promise<number> {
    let count = 0
    const listNames = async () => new Set((await listLive()).map(baseName))
    const live = await listNames()
    const unnamed = (await listBases(this.#folder)).filter((name) => !live.has(name))
    for (const name of unnamed) {
      await this.#lanes.hold(name, async () => {
        // A volume that was recorded in the meantime waits in this lane, and its row is seen.
        if ((await listNames()).has(name)) return
        await removeBase(this.#folder, name)
        count++
      })
    }
    return count
  }
}
