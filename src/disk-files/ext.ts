/**
 * A file system of the ext family on a disk, read only and never mounted: files and folders
 * by their paths. Links lead nowhere but into the same file system.
 */
import { type BoundedDisk, DiskRefused } from './bounded-disk.ts'
import { blockOf, type Inode, readInode } from './ext-inode.ts'
import { type NewerBlock, readJournal, unescape } from './ext-journal.ts'
import {
  descriptorBlock,
  readSuperblock,
  type Superblock,
  superblockBytes,
  superblockOffset,
} from './ext-superblock.ts'

const rootInode = 2
const linksMax = 40
const linkBytesMax = 4096
const folderBytesMax = 2 * 2 ** 20

export class Ext {
  readonly #disk: BoundedDisk
  readonly #startBytes: number
  readonly #superblock: Superblock
  /** Where the journal has what its place has not yet. */
  readonly #newer = new Map<number, NewerBlock & { readonly number: number }>()

  private constructor(disk: BoundedDisk, startBytes: number, superblock: Superblock) {
    this.#disk = disk
    this.#startBytes = startBytes
    this.#superblock = superblock
  }

  /** Nothing where there is no such file system. */
  static async open(disk: BoundedDisk, startBytes: number): Promise<Ext | undefined> {
    const bytes = await disk.read(startBytes + superblockOffset, superblockBytes)
    const superblock = readSuperblock(bytes)
    if (!superblock) return undefined
    const ext = new Ext(disk, startBytes, superblock)
    if (superblock.needsRecovery) await ext.#recover()
    return ext
  }

  async #recover(): Promise<void> {
    const { blockBytes, journalInode } = this.#superblock
    if (journalInode === 0) throw new DiskRefused('its journal is on another disk')
    const journal = await this.#inode(journalInode)
    const newer = await readJournal({
      blockBytes,
      blocks: Math.floor(journal.sizeBytes / blockBytes),
      readBlock: (index) => this.#contentBlock(journal, index),
    })
    // Where the journal is has to be known before anything is read by way of it.
    const places: [number, NewerBlock & { readonly number: number }][] = []
    for (const [block, one] of newer) {
      const number = await this.#placeOf(journal, one.index)
      if (number !== undefined) places.push([block, { ...one, number }])
    }
    for (const [block, place] of places) this.#newer.set(block, place)
  }

  async hasFile(path: string): Promise<boolean> {
    return (await this.#find(path))?.kind === 'file'
  }

  /** The bytes of a file, where there is one. Refused where it is longer. */
  async readFile(path: string, bytesMax: number): Promise<Buffer | undefined> {
    const inode = await this.#find(path)
    return inode?.kind === 'file' ? await this.#content(inode, path, bytesMax) : undefined
  }

  /** What a folder has, but for itself and the one above it. */
  async listFolder(path: string): Promise<readonly string[]> {
    const inode = await this.#find(path)
    if (inode?.kind !== 'folder') return []
    const bytes = await this.#folder(inode)
    const names = entriesOf(bytes, this.#superblock.blockBytes).map(({ name }) => name.toString())
    return [...names].filter((name) => name !== '.' && name !== '..').toSorted()
  }

  /** Follows links within the file system, as if its root were all there is. */
  async #find(path: string): Promise<Inode | undefined> {
    const above: Inode[] = []
    let here = await this.#inode(rootInode)
    const left = path.split('/')
    let links = 0
    while (left.length > 0) {
      const name = left.shift() ?? ''
      if (name === '' || name === '.') continue
      if (here.kind !== 'folder') return undefined
      if (name === '..') {
        here = above.pop() ?? here
        continue
      }
      const number = await this.#findIn(here, name)
      if (number === undefined) return undefined
      const next = await this.#inode(number)
      if (next.kind !== 'link') {
        above.push(here)
        here = next
        continue
      }
      if (++links > linksMax) throw new DiskRefused('its links lead in a circle')
      const target = (await this.#linkTarget(next)).split('/')
      if (target[0] === '') {
        here = above[0] ?? here
        above.length = 0
      }
      left.unshift(...target)
    }
    return here
  }

  async #linkTarget(inode: Inode): Promise<string> {
    const isShort = inode.sizeBytes < inode.body.length && !inode.hasExtents && !inode.isInline
    if (isShort) return inode.body.toString('utf8', 0, inode.sizeBytes)
    return (await this.#content(inode, 'a link', linkBytesMax)).toString('utf8')
  }

  async #findIn(folder: Inode, wanted: string): Promise<number | undefined> {
    const name = Buffer.from(wanted)
    for (const entry of entriesOf(await this.#folder(folder), this.#superblock.blockBytes)) {
      if (entry.name.equals(name)) return entry.inode
    }
    return undefined
  }

  async #folder(inode: Inode): Promise<Buffer> {
    if (inode.isEncrypted) throw new DiskRefused('a folder in it is encrypted')
    if (inode.isInline) throw new DiskRefused('its file system keeps folders in inodes')
    return await this.#content(inode, 'a folder', folderBytesMax)
  }

  async #content(inode: Inode, what: string, bytesMax: number): Promise<Buffer> {
    const { sizeBytes } = inode
    if (sizeBytes > bytesMax) throw new DiskRefused(`${what} in it is over ${bytesMax} bytes long`)
    if (inode.isInline) {
      if (sizeBytes <= inode.body.length) return inode.body.subarray(0, sizeBytes)
      throw new DiskRefused('its file system keeps files in inodes')
    }
    const { blockBytes } = this.#superblock
    const found = Buffer.alloc(sizeBytes)
    for (let index = 0; index * blockBytes < sizeBytes; index++) {
      const block = await this.#contentBlock(inode, index)
      block?.copy(found, index * blockBytes)
    }
    return found
  }

  async #contentBlock(inode: Inode, index: number): Promise<Buffer | undefined> {
    const number = await this.#placeOf(inode, index)
    return number === undefined ? undefined : await this.#readBlock(number)
  }

  async #placeOf(inode: Inode, index: number): Promise<number | undefined> {
    const readBlock = (number: number) => this.#readBlock(number)
    const { blockBytes } = this.#superblock
    return await blockOf(inode, index, { blockBytes, readBlock })
  }

  async #inode(number: number): Promise<Inode> {
    const { inodes, inodesPerGroup, inodeBytes, descriptorBytes, blockBytes } = this.#superblock
    if (number < 1 || number > inodes) {
      throw new DiskRefused('its file system is damaged: it names an inode that it does not have')
    }
    const group = Math.floor((number - 1) / inodesPerGroup)
    const descriptors = await this.#readBlock(descriptorBlock(this.#superblock, group))
    const at = (group * descriptorBytes) % blockBytes
    const high = descriptorBytes >= 64 ? descriptors.readUInt32LE(at + 40) : 0
    const table = descriptors.readUInt32LE(at + 8) + high * 2 ** 32
    const offset = ((number - 1) % inodesPerGroup) * inodeBytes
    const block = await this.#readBlock(table + Math.floor(offset / blockBytes))
    const within = offset % blockBytes
    return readInode(number, block.subarray(within, within + inodeBytes))
  }

  async #readBlock(number: number): Promise<Buffer> {
    const { blockBytes } = this.#superblock
    const newer = this.#newer.get(number)
    const from = newer?.number ?? number
    const block = await this.#disk.read(this.#startBytes + from * blockBytes, blockBytes)
    return newer ? unescape(block, newer) : block
  }
}

/** The entries of a folder, whose blocks have each their own. What makes no sense ends its block. */
function* entriesOf(
  bytes: Buffer,
  blockBytes: number,
): Generator<{ readonly name: Buffer; readonly inode: number }, undefined> {
  for (let start = 0; start < bytes.length; start += blockBytes) {
    const end = Math.min(start + blockBytes, bytes.length)
    for (let at = start; at + 8 <= end;) {
      const recorded = bytes.readUInt16LE(at + 4)
      const length = recorded === 0 || recorded === 0xffff ? end - at : recorded
      const nameEnd = at + 8 + bytes.readUInt8(at + 6)
      if (length < 8 || nameEnd > at + length || at + length > end) break
      const inode = bytes.readUInt32LE(at)
      if (inode !== 0) yield { name: bytes.subarray(at + 8, nameEnd), inode }
      at += length
    }
  }
  return undefined
}
