/**
 * The bases of this host: disks of the block store as files that volumes lie
 * over. One is made when the first volume needs it, shared by all that come
 * after, and goes when none names it any more. Until it is whole, its volumes are used all
 * the same: machines read what they need of it from the block store, over a socket.
 */
import { blockSizeBytes } from '../block-store/block.ts'
import type { BlockStore } from '../block-store/block-store.ts'
import { DiskTooLarge } from '../block-store/errors.ts'
import type { WorkOptions } from '../block-store/save-disk.ts'
import { isKeyUnusable } from '../kms/key-trouble.ts'
import type { Log } from '../lib/log.ts'
import type { OpenedExport } from '../nbd/server.ts'
import {
  type Base,
  baseName,
  basePath,
  hasBase,
  listBases,
  removeBase,
  type BaseProgress,
  type BaseSource,
} from '../qemu/base-files.ts'
import { layOutBase } from '../qemu/encrypted-base.ts'
import { Lanes } from '../reconcile/lanes.ts'
import { BaseContents, isDamage } from './base-contents.ts'
import { cipherUnder, keyOfBase, type OpenDiskKey } from './disk-keys.ts'

/** A base that is not whole yet, and is to be. */
interface Unfinished {
  readonly source: BaseSource
  readonly abandon: AbortController
  /** What machines read, kept so that the first one need not open it again. */
  readonly content: OpenedExport
  percent: number
  /** Why it could not be made, the last time that it was tried. */
  problem?: unknown
}

export class Bases {
  readonly #folder: string
  readonly #blockStore: Pick<BlockStore, 'writeDisk'>
  readonly #openDiskKey: OpenDiskKey
  readonly #contents: BaseContents
  readonly #unfinished = new Map<string, Unfinished>()
  /** Making and removing a base never overlap. */
  readonly #making = new Lanes()
  /** Nor do removing it and finding that it is there. */
  readonly #looking = new Lanes()

  constructor(dependencies: {
    readonly folder: string
    readonly blockStore: Pick<BlockStore, 'writeDisk' | 'readManifest' | 'readBlock'>
    readonly openDiskKey: OpenDiskKey
    readonly log: Log
  }) {
    this.#folder = dependencies.folder
    this.#blockStore = dependencies.blockStore
    this.#openDiskKey = dependencies.openDiskKey
    this.#contents = new BaseContents(dependencies)
  }

  /** Answers the path of a base that is there and whole, or is to be and can be read until then. A row has to name it by then. */
  async prepare(source: BaseSource): Promise<string> {
    const { base } = source
    const name = baseName(base)
    if (!(await this.#isThere(base)) && !this.#unfinished.has(name)) {
      // Where a key is not to be used, that is to be found out now.
      await keyOfBase(base, this.#openDiskKey)
      const content = await this.#contents.open(source)
      if (this.#unfinished.has(name)) content[Symbol.dispose]()
      else {
        const abandon = new AbortController()
        this.#unfinished.set(name, { source, abandon, content, percent: 0 })
      }
    }
    return basePath(this.#folder, base)
  }

  /** When it resolves, the base is there and whole. */
  async ensure(source: BaseSource): Promise<string> {
    const name = baseName(source.base)
    await this.#making.hold(name, async () => {
      if (!(await this.#isThere(source.base))) await this.#write(source)
      this.forget(name)
    })
    return basePath(this.#folder, source.base)
  }

  /** Tells whether the base is there and whole: it is to be, or this throws why it cannot be. */
  async isWhole(source: BaseSource): Promise<boolean> {
    const problem = this.#unfinished.get(baseName(source.base))?.problem
    // Room on the disk may come back, and is waited for.
    const isFinal = isDamage(problem) || isKeyUnusable(problem) || problem instanceof DiskTooLarge
    if (isFinal) throw problem
    await this.prepare(source)
    return await this.#isThere(source.base)
  }

  async progress(base: Base): Promise<BaseProgress> {
    if (await this.#isThere(base)) return { percent: 100, isDamaged: false }
    const { percent = 0, problem } = this.#unfinished.get(baseName(base)) ?? {}
    return { percent, isDamaged: isDamage(problem) }
  }

  /** The names of those that are to be made. */
  unfinished(): readonly string[] {
    return [...this.#unfinished.keys()]
  }

  /** Makes a base that is unfinished; nothing where it is not, or nobody wants it any more. */
  async make(name: string, signal?: AbortSignal): Promise<void> {
    await this.#making.hold(name, async () => {
      const unfinished = this.#unfinished.get(name)
      if (!unfinished) return
      const { source, abandon } = unfinished
      const either = AbortSignal.any([abandon.signal, ...(signal ? [signal] : [])])
      const onProgress = (done: number, total: number) => {
        unfinished.percent = Math.min(99, Math.floor((100 * done) / total))
      }
      try {
        if (!(await this.#isThere(source.base))) {
          await this.#write(source, { signal: either, onProgress })
        }
      } catch (error) {
        if (either.aborted) return
        throw error
      }
      this.forget(name)
    })
  }

  async #write({ base, storedKeyArn }: BaseSource, options: WorkOptions = {}): Promise<void> {
    const cipher = await cipherUnder(storedKeyArn, this.#openDiskKey)
    const key = await keyOfBase(base, this.#openDiskKey)
    await this.#blockStore.writeDisk(base.manifest, basePath(this.#folder, base), {
      ...options,
      cipher,
      isBackground: true,
      ...(key && { layOut: (disk) => layOutBase(key, { ...disk, blockSizeBytes }) }),
    })
  }

  /** Notes why a base could not be made. It is tried again all the same. */
  fail(name: string, problem: unknown): void {
    const unfinished = this.#unfinished.get(name)
    if (unfinished) unfinished.problem = problem
  }

  /** Gives a base up that is whole, or that nobody wants any more. */
  forget(name: string): void {
    const unfinished = this.#unfinished.get(name)
    this.#unfinished.delete(name)
    unfinished?.abandon.abort()
    unfinished?.content[Symbol.dispose]()
  }

  /** What machines read of a base while it is not whole, and until they have noticed that it is. */
  async open(source: BaseSource): Promise<OpenedExport> {
    return await this.#contents.open(source)
  }

  /** Removes the bases that `listLive` does not have, and tells how many. */
  async collect(listLive: () => Promise<readonly Base[]>): Promise<number> {
    let count = 0
    const listNames = async () => new Set((await listLive()).map(baseName))
    const live = await listNames()
    const unnamed = (await listBases(this.#folder)).filter((name) => !live.has(name))
    for (const name of unnamed) {
      await this.#making.hold(name, () =>
        this.#looking.hold(name, async () => {
          // A volume that was recorded in the meantime waits in this lane, and its row is seen.
          if ((await listNames()).has(name)) return
          await removeBase(this.#folder, name)
          count++
        }),
      )
    }
    return count
  }

  async #isThere(base: Base): Promise<boolean> {
    return await this.#looking.hold(baseName(base), () => hasBase(this.#folder, base))
  }
}
