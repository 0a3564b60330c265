/**
 * Disk images from outside, which may have been made to harm: looked at and made
 * raw by `qemu-img` in the format that their bytes show, within limits of memory
 * and time. What is converted is there whole and synced, or not at all.
 */
import { rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { renameDurably, sync, temporarySuffix } from './durable-file.ts'
import { type DiskFormat, ImageRefused, recogniseDisk } from './disk-format.ts'
import { qemuImg, QemuImgFailed } from './qemu-img.ts'

export interface DiskImage {
  readonly format: DiskFormat
  readonly virtualSizeBytes: number
}

interface ImageInfo {
  readonly 'virtual-size': number
  readonly encrypted?: boolean
  readonly 'backing-filename'?: string
}

const inspectLimits = { addressSpaceBytes: 1024 ** 3, cpuSeconds: 10 }
const convertAddressSpaceBytes = 2 * 1024 ** 3
/** The smallest run of zeroes that becomes a hole: what the block store leaves out is far longer. */
const holeBytes = '64k'

/** Tells what the file is; throws `ImageRefused` for what we do not take. */
export async function inspectDiskImage(
  path: string,
  { sizeBytesMax }: { readonly sizeBytesMax: number },
): Promise<DiskImage> {
  const format = await recogniseDisk(path)
  const info = await imageInfo(path, format)
  if (info['backing-filename'] !== undefined) throw new ImageRefused('the image needs another file')
  if (info.encrypted) throw new ImageRefused('the image is encrypted')
  const virtualSizeBytes = info['virtual-size']
  if (virtualSizeBytes <= 0) throw new ImageRefused('the disk has no size')
  if (virtualSizeBytes > sizeBytesMax) {
    throw new ImageRefused(`the disk is too large: ${virtualSizeBytes} bytes of ${sizeBytesMax}`)
  }
  await checkWhole(path, format)
  return { format, virtualSizeBytes }
}

/** Of these QEMU reads what is cut off as zeros, and says nothing. */
const formatsToCheck: readonly DiskFormat[] = ['qcow2', 'vmdk']
const checkLimits = { addressSpaceBytes: 2 * 1024 ** 3, cpuSeconds: 60 }
/** There is space in the image that nothing uses. */
const leaksExitCode = 3

async function checkWhole(path: string, format: DiskFormat): Promise<void> {
  if (!formatsToCheck.includes(format)) return
  const args = ['check', '-q', '-U', '-f', format, asFile(path)]
  try {
    await qemuImg(args, { limits: checkLimits, views: [{ path: resolve(path), isReadOnly: true }] })
  } catch (error) {
    if (!(error instanceof QemuImgFailed)) throw error
    if (error.exitCode === leaksExitCode) return
    throw new ImageRefused('the image is damaged, or a part of it is missing', { cause: error })
  }
}

/** Writes the disk that the image holds into a sparse raw file. The image was inspected before. */
export async function convertToRaw(
  from: { readonly path: string; readonly format: DiskFormat },
  to: string,
  options: {
    readonly cpuSecondsMax: number
    readonly onProgress?: (percent: number) => void
    readonly signal?: AbortSignal
  },
): Promise<void> {
  const { cpuSecondsMax, onProgress, signal } = options
  const temporary = to + temporarySuffix
  const files = ['-f', from.format, '-O', 'raw', asFile(from.path), asFile(temporary)]
  try {
    // It is there to be shown.
    await writeFile(temporary, '', { mode: 0o600 })
    await qemuImg(['convert', '-p', '-S', holeBytes, ...files], {
      limits: { addressSpaceBytes: convertAddressSpaceBytes, cpuSeconds: cpuSecondsMax },
      views: [{ path: resolve(from.path), isReadOnly: true }, { path: resolve(temporary) }],
      onOutput: (text) => {
        const percent = [...text.matchAll(/\(([0-9.]+)\/100%\)/g)].at(-1)?.[1]
        if (percent !== undefined) onProgress?.(Number(percent))
      },
      ...(signal && { signal }),
    })
    await sync(temporary)
    await renameDurably(temporary, to)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function imageInfo(path: string, format: DiskFormat): Promise<ImageInfo> {
  const args = ['info', '-U', '--output=json', '-f', format, asFile(path)]
  try {
    const views = [{ path: resolve(path), isReadOnly: true }]
    return JSON.parse(await qemuImg(args, { limits: inspectLimits, views })) as ImageInfo
  } catch (error) {
    if (!(error instanceof QemuImgFailed)) throw error
    throw new ImageRefused(`the image is damaged: ${error.message}`, { cause: error })
  }
}

/** A name that is not taken for another protocol's, whatever is in it. */
function asFile(path: string): string {
  return `file:${resolve(path)}`
}
