/**
 * Gets the disk of an import into a raw file of the work folder: bakes it, or
 * fetches and converts it. What comes from outside is hostile until it is
 * inspected; the work folder is thrown away, whatever came of it.
 */
import { createWriteStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { IncomingMessage } from 'node:http'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { bake } from '../catalog/bake.ts'
import { isRecipeName } from '../catalog/recipe.ts'
import { OutboundRefused, send } from '../outbound/request.ts'
import type { OutboundRules } from '../outbound/rules.ts'
import type { DiskFormat } from '../qemu/disk-format.ts'
import { convertToRaw, inspectDiskImage } from '../qemu/images.ts'
import { type BootMode, findBootMode } from './boot-mode.ts'
import type { Import } from './import.ts'
import { findPlatform } from './platform.ts'

/** EC2's largest volume. */
const sizeBytesMax = 64 * 2 ** 40
const cpuSecondsMax = 3600

export type Progress = (message: string, doneBytes: number, totalBytes: number) => void

export interface ObtainedDisk {
  readonly path: string
  readonly sizeBytes: number
  readonly bootMode: BootMode
  readonly platform: 'windows' | undefined
}

/** An import that will not work however often it is tried, in words for the caller. */
export class CannotImport extends Error {
  override readonly name = 'CannotImport'
}

/** Makes `disk.raw` in `folder`, and tells its size and how it boots. */
export async function obtainDisk(
  item: Import,
  folder: string,
  work: Fetching,
): Promise<ObtainedDisk> {
  const { progress, signal } = work
  const path = join(folder, 'disk.raw')
  if (item.kind === 'catalog') {
    if (!isRecipeName(item.source)) throw new CannotImport(`no such recipe: ${item.source}`)
    await bake(item.source, {
      output: path,
      workFolder: join(folder, 'bake'),
      onLine: (line) => progress(line.slice(0, 200), 0, 0),
      signal,
    })
  } else {
    const file = item.kind === 'url' ? join(folder, 'download') : item.source
    if (item.kind === 'url') await download(item.source, file, work)
    await convert(file, path, { progress, signal })
  }
  return await describeDisk(path)
}

/** What a raw disk says of itself. */
export async function describeDisk(path: string): Promise<ObtainedDisk> {
  await using disk = await open(path, 'r')
  const { size } = await disk.stat()
  const [bootMode, platform] = [await findBootMode(disk), await findPlatform(disk)]
  return { path, sizeBytes: size, bootMode, platform }
}

export interface Work {
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** What may be fetched: from where, and how much. */
export interface FetchLimits {
  readonly rules: OutboundRules
  readonly bytesMax: number
}

export type Fetching = Work & { readonly limits: FetchLimits }

/** Makes a file raw, in the format that its bytes show, and tells which that was. `check` can refuse it. */
export async function convert(
  from: string,
  to: string,
  { progress, signal, check }: Work & { readonly check?: (format: DiskFormat) => void },
): Promise<DiskFormat> {
  const found = await stat(from).catch((error: unknown) => {
    throw new CannotImport(`Cannot read the file: ${(error as Error).message}`)
  })
  if (!found.isFile()) throw new CannotImport(`Cannot import what is not a file: ${from}`)
  try {
    const { format, virtualSizeBytes } = await inspectDiskImage(from, { sizeBytesMax })
    check?.(format)
    await convertToRaw({ path: from, format }, to, {
      cpuSecondsMax,
      signal,
      onProgress: (percent) =>
        progress('converting', Math.round((virtualSizeBytes * percent) / 100), virtualSizeBytes),
    })
    return format
  } catch (error) {
    signal.throwIfAborted()
    throw new CannotImport((error as Error).message, { cause: error })
  }
}

const redirectsMax = 5

/** What of a URL may be told: neither who one is there, nor a signature. */
function nameOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

/** Fetches a URL into a file. */
export async function download(url: string, to: string, work: Fetching): Promise<void> {
  const { progress, signal, limits } = work
  const response = await follow(url, work)
  const totalBytes = Number(response.headers['content-length'] ?? 0)
  const tooLong = () =>
    new CannotImport(
      `Cannot fetch ${nameOf(url)}: it is longer than the limit of ${limits.bytesMax} bytes`,
    )
  let doneBytes = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      doneBytes += chunk.length
      if (doneBytes > limits.bytesMax) return done(tooLong())
      progress('downloading', doneBytes, totalBytes)
      done(null, chunk)
    },
  })
  if (totalBytes > limits.bytesMax) {
    response.destroy()
    throw tooLong()
  }
  await pipeline(response, counter, createWriteStream(to), { signal })
}

/** Follows where a URL leads, as far as it may lead anywhere. */
async function follow(url: string, { signal, limits }: Fetching): Promise<IncomingMessage> {
  let at = new URL(url)
  for (let left = redirectsMax; ; left--) {
    const response = await send({ url: at, rules: limits.rules, signal }).catch(
      (error: unknown) => {
        signal.throwIfAborted()
        if (error instanceof OutboundRefused) throw new CannotImport(error.message)
        throw new Error(`Cannot fetch ${nameOf(url)}: ${(error as Error).message}`)
      },
    )
    const { statusCode = 0, headers } = response
    if (statusCode === 200) return response
    response.destroy()
    const isRedirect = [301, 302, 303, 307, 308].includes(statusCode)
    if (isRedirect && left > 0 && URL.canParse(headers.location ?? '', at)) {
      const next = new URL(headers.location ?? '', at)
      if (at.protocol === 'https:' && next.protocol !== 'https:') {
        throw new CannotImport(
          `Cannot fetch ${nameOf(url)}: it leads from https to ${next.protocol}`,
        )
      }
      at = next
      continue
    }
    const message = `Cannot fetch ${nameOf(url)}: the server answered ${statusCode}`
    throw statusCode < 500 ? new CannotImport(message) : new Error(message)
  }
}
