/** Reads what is installed on a disk, which nobody vouches for. */
import { BoundedDisk, DiskRefused } from '../disk-files/bounded-disk.ts'
import type { Ext } from '../disk-files/ext.ts'
import { findRoot } from '../disk-files/find-root.ts'
import type { ReadableDisk } from '../imports/partition-table.ts'
import { readApkInstalled } from './apk-installed.ts'
import { readDpkgStatus } from './dpkg-status.ts'
import { groupBySource, type Inventory, isWord, type PackageEntry } from './inventory.ts'
import { readOsRelease } from './os-release.ts'

const osReleases = ['/etc/os-release', '/usr/lib/os-release']
const dpkg = { status: '/var/lib/dpkg/status', folder: '/var/lib/dpkg/status.d' }
const apk = ['/lib/apk/db/installed', '/usr/lib/apk/db/installed']
const osReleaseBytesMax = 64 * 1024
const databaseBytesMax = 16 * 2 ** 20
const packagesMax = 20_000
const filesMax = 5000

/** Throws `DiskRefused` where that cannot be told, or nobody publishes advisories for it. */
export async function readInventory(disk: ReadableDisk): Promise<Inventory> {
  const root = await findRoot(new BoundedDisk(disk), osReleases)
  const { ecosystem, name: system } = readOsRelease(await readFirst(root, osReleases))
  if (!ecosystem) throw new DiskRefused(`no advisories are read for its system: ${system}`)
  const entries = await readPackages(root)
  if (entries.length === 0) throw new DiskRefused(`no packages were found on it: ${system}`)
  return { ecosystem, system, sources: groupBySource(entries) }
}

async function readFirst(root: Ext, paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const bytes = await root.readFile(path, osReleaseBytesMax)
    if (bytes) return bytes.toString('utf8')
  }
  return ''
}

async function readPackages(root: Ext): Promise<readonly PackageEntry[]> {
  const found: PackageEntry[] = []
  const read = async (path: string, parse: typeof readDpkgStatus) => {
    const bytes = await root.readFile(path, databaseBytesMax)
    for (const entry of bytes ? parse(bytes.toString('utf8'), path) : []) {
      if (found.length === packagesMax) throw new DiskRefused(`it has over ${packagesMax} packages`)
      found.push(entry)
    }
  }
  await read(dpkg.status, readDpkgStatus)
  const names = await root.listFolder(dpkg.folder)
  if (names.length > filesMax)
    throw new DiskRefused(`${dpkg.folder} in it has over ${filesMax} files`)
  for (const name of names) {
    if (name.endsWith('.md5sums') || !isWord(name)) continue
    await read(`${dpkg.folder}/${name}`, readDpkgStatus)
  }
  for (const path of apk) {
    if (found.length === 0) await read(path, readApkInstalled)
  }
  return found
}
