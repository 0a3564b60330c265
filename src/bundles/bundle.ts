/**
 * A bundle: the root disk of an instance-store image as it lies in a bucket, a manifest
 * and the parts that it names, all in one folder. Whoever can write there has made it,
 * so nothing in it is believed before its digest has been seen.
 */
import type { Digest } from '../lib/digest.ts'
import { ApiError } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'

/** The root of an instance-store image is no larger on EC2 either. */
export const diskBytesMax = 10 * 2 ** 30

/** What a whole bundle can take, though nothing in it could be compressed. */
export const bundledBytesMax = diskBytesMax + 2 ** 28

export const manifestBytesMax = 2 ** 19
export const partsMax = 2048

export interface BundlePart {
  /** Beside the manifest: a name without any folder. */
  readonly name: string
  readonly digest: Digest
}

/** What the manifest of a bundle says. */
export interface BundleManifest {
  readonly architecture: string | undefined
  readonly rootDeviceName: string | undefined
  /** Of the disk. */
  readonly sizeBytes: number
  /** Of all parts. */
  readonly bundledSizeBytes: number
  /** Of the archive that the disk is in. */
  readonly digest: Digest
  readonly parts: readonly BundlePart[]
}

/** The disk of an instance-store image: where it is to come from, and what it is when it is there. */
export interface ImageBundle {
  readonly imageId: Id<'image'>
  /** Nothing where the image is the copy of another one. */
  readonly source: BundleSource | undefined
  /** In the block store. */
  readonly disk: Digest | undefined
  readonly sizeBytes: number
}

export interface BundleSource {
  readonly bucket: string
  readonly key: string
  /** Of the manifest that the call has seen: it must be that one still. */
  readonly digest: Digest
}

/** A bundle that no image can be made of, however often it is tried. Its message says why. */
export class BadBundle extends Error {
  override readonly name = 'BadBundle'
}

export function invalidManifest(location: string, why: string): ApiError {
  return new ApiError(
    'InvalidManifest',
    `The manifest ${location.slice(0, 1100)} cannot be used: ${why}`,
  )
}

/** `bucket/folders/image.manifest.xml` as bucket and key; nothing where it has another form. */
export function parseLocation(
  location: string,
): { readonly bucket: string; readonly key: string } | undefined {
  const slash = location.indexOf('/')
  if (slash < 1 || slash === location.length - 1) return undefined
  return { bucket: location.slice(0, slash), key: location.slice(slash + 1) }
}

/** The key of what lies beside an object. */
export function keyBeside(key: string, name: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1) + name
}
