/**
 * For the tests beside: folders that go away, machines that end, what a volume
 * reads as, and a guest of one sector. That guest counts: it fills a sector with
 * the number n and writes it at sector n, first of disk 0, then of disk 1, then
 * says so with a dot on its serial line.
 */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, open, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { decryptSectors, encryptSectors, xtsSectorBytes } from '../lib/xts.ts'
import { layOutBase } from './encrypted-base.ts'
import { createVolume } from './layers.ts'
import type { DiskKeys, LuksKey } from './luks.ts'
import { findMachine, type Machine } from './machine.ts'
import { endProcess } from './machine-process.ts'
import { type DiskSpec, machineFiles, type MachineSpec } from './machine-spec.ts'
import { mapVolume } from './map-volume.ts'

export const MiB = 1024 ** 2
export const sectorBytes = 512

/** A folder that is removed after the test, and the machine in `run` with it. */
export async function scratch(context: TestContext): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'qemu-')))
  await mkdir(join(folder, 'run'))
  context.after(async () => {
    await endProcess(join(folder, 'run'))
    await rm(folder, { recursive: true })
  })
  return folder
}

export function machineOf(folder: string, disks: readonly DiskSpec[]): MachineSpec {
  return {
    name: 'test',
    folder: join(folder, 'run'),
    enter: [],
    accelerator: 'tcg',
    vcpus: 1,
    memoryMiB: 32,
    firmware: 'bios',
    uuid: '00000000-0000-4000-8000-000000000001',
    smbios: {},
    disks,
    nics: [],
    hotplugSlots: 2,
  }
}

export function diskOf(folder: string, name: string, bootIndex?: number): DiskSpec {
  const disk = { id: name, folder: join(folder, name), serial: name }
  return bootIndex === undefined ? disk : { ...disk, bootIndex }
}

/** Two volumes, of which the first boots the guest that counts on both. */
export async function countingDisks(folder: string): Promise<readonly [DiskSpec, DiskSpec]> {
  const base = join(folder, 'base.raw')
  await writeFile(base, countingGuest())
  const disks = [diskOf(folder, 'disk-a', 0), diskOf(folder, 'disk-b', 1)] as const
  await createVolume(disks[0].folder, { sizeBytes: 32 * MiB, base })
  await createVolume(disks[1].folder, { sizeBytes: 32 * MiB })
  return disks
}

/** Waits until the guest has counted on from where it is now, by so many at least. */
export async function countsOn(folder: string, count: number): Promise<void> {
  const dots = async (): Promise<number> =>
    (await stat(join(folder, 'run', machineFiles.console))).size
  const goal = (await dots()) + count
  await until(async () => (await dots()) >= goal)
}

/** The last number that the volume holds, with all those before it. */
export async function countIn(folder: string, layer: number, keys?: DiskKeys): Promise<number> {
  const bytes = await contentOf(folder, layer, keys)
  let count = 0
  const next = (): number => (count + 1) * sectorBytes
  while (next() < bytes.length && bytes.readUInt16LE(next()) === count + 1) count++
  const expected = Buffer.alloc(bytes.length)
  bytes.copy(expected, 0, 0, sectorBytes)
  for (let n = 1; n <= count; n++) {
    expected.fill(Uint8Array.of(n & 0xff, n >> 8), n * sectorBytes, (n + 1) * sectorBytes)
  }
  assert(expected.equals(bytes), `not just the numbers up to ${count}`)
  return count
}

/** What the volume reads as, put together from its map. */
export async function contentOf(folder: string, layer: number, keys?: DiskKeys): Promise<Buffer> {
  const { sizeBytes, extents } = await mapVolume(folder, { upTo: layer, keys })
  const content = Buffer.alloc(sizeBytes)
  for (const { start, length, file, fileOffset, masterKey } of extents) {
    await using handle = await open(file, 'r')
    const { bytesRead } = await handle.read(content, start, length, fileOffset)
    assert.equal(bytesRead, length)
    const bytes = content.subarray(start, start + length)
    if (masterKey) decryptSectors(masterKey, bytes, fileOffset / xtsSectorBytes)
  }
  return content
}

/** An encrypted base with the content, of which blocks of zeros are left out. */
export async function writeBase(path: string, key: LuksKey, content: Buffer): Promise<void> {
  const blockSizeBytes = 512 * 1024
  const zeros = Buffer.alloc(blockSizeBytes)
  const blocks = Array.from({ length: Math.ceil(content.length / blockSizeBytes) }, (_, index) => {
    const block = Buffer.alloc(blockSizeBytes)
    content.copy(block, 0, index * blockSizeBytes)
    return { index, block }
  }).filter(({ block }) => !block.equals(zeros))
  const indexes = blocks.map(({ index }) => index)
  const base = layOutBase(key, { sizeBytes: content.length, indexes, blockSizeBytes })
  await using file = await open(path, 'w')
  for (const { offset, bytes } of base.parts) await file.write(bytes, 0, bytes.length, offset)
  for (const [position, { block }] of blocks.entries()) {
    const offset = base.offsetOf(position)
    encryptSectors(base.masterKey, block, offset / xtsSectorBytes)
    await file.write(block, 0, Math.min(block.length, base.fileBytes - offset), offset)
  }
  await file.truncate(base.fileBytes)
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 3_000; tries++) {
    if (await condition()) return
    await wait(10)
  }
  throw new Error('the condition does not come true')
}

export async function found(folder: string): Promise<Machine> {
  const machine = await findMachine(join(folder, 'run'))
  assert(machine, 'the machine is not found')
  return machine
}

export function countingGuest(): Buffer {
  const packet = 0x40
  const loop = 15
  // prettier-ignore
  const code = [
    0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, // ds = es = ss = 0
    0xbc, 0x00, 0x7c, 0xfc, // sp = 0x7c00, count upwards
    0xbd, 0x01, 0x00, // bp = 1
    // loop:
    0xbf, 0x00, 0x80, 0xb9, 0x00, 0x01, 0x89, 0xe8, 0xf3, 0xab, // 256 words of bp at 0x8000
    0x89, 0x2e, packet + 8, 0x7c, // sector = bp
    0xbe, packet, 0x7c, 0xb2, 0x80, 0xb8, 0x00, 0x43, 0xcd, 0x13, // write disk 0
    0xbe, packet, 0x7c, 0xb2, 0x81, 0xb8, 0x00, 0x43, 0xcd, 0x13, // write disk 1
    0xba, 0xf8, 0x03, 0xb0, 0x2e, 0xee, // a dot
    0x45, // bp++
  ]
  const jump = loop - (code.length + 2)
  code.push(0x75, jump & 0xff, 0xf4, 0xeb, 0xfd)
  assert(code.length <= packet)
  const sector = Buffer.alloc(sectorBytes)
  sector.set(code)
  // One sector from 0x8000.
  sector.set([0x10, 0, 1, 0, 0x00, 0x80, 0, 0], packet)
  sector.set([0x55, 0xaa], sectorBytes - 2)
  return sector
}
