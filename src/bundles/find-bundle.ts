/**
 * Looks at the bundle that a call names, as far as can be done while the caller waits:
 * its manifest, and that each part is there. What is in them is read when the call has
 * been answered.
 */
import { hasCode } from '../block-store/errors.ts'
import { type Buckets, type StoredObject, TruncatedObject } from '../buckets/buckets.ts'
import { isBucketName, isObjectKey } from '../buckets/names.ts'
import { demandOn } from '../iam/demand.ts'
import { requireAll } from '../iam/evaluate.ts'
import { digestOf } from '../lib/digest.ts'
import type { CallContext } from '../wire/operation.ts'
import {
  BadBundle,
  type BundleManifest,
  type BundleSource,
  invalidManifest,
  keyBeside,
  manifestBytesMax,
  parseLocation,
} from './bundle.ts'
import { parseManifest } from './manifest.ts'

export interface FoundBundle {
  readonly source: BundleSource
  readonly manifest: BundleManifest
}

/** What a caller needs to be allowed to read a bundle's manifest, whatever form its location has. */
export const toReadObject = (location: string) =>
  demandOn('s3:GetObject', `arn:aws:s3:::${location}`)

/** Refuses what is no whole bundle with `InvalidManifest`. */
export async function findBundle(
  location: string,
  { readers, caller, region }: CallContext,
): Promise<FoundBundle> {
  const place = parseLocation(location)
  if (!place || !isBucketName(place.bucket) || !isObjectKey(place.key)) {
    throw invalidManifest(location, 'it is not of the form bucket/folder/image.manifest.xml.')
  }
  const { bucket, key } = place
  const owner = { accountId: caller.accountId, region, bucket }
  try {
    await using object = await readers.buckets.open({ ...owner, key })
    if (!object) throw new BadBundle('there is no such object in a bucket of this Region')
    const bytes = await readManifest(object)
    const manifest = parseManifest(bytes)
    for (const { name } of manifest.parts) {
      requireAll(caller, [toReadObject(`${bucket}/${keyBeside(key, name)}`)])
    }
    await checkParts(manifest, key, (part) => readers.buckets.open({ ...owner, key: part }))
    return { source: { bucket, key, digest: digestOf(bytes) }, manifest }
  } catch (error) {
    if (error instanceof BadBundle) throw invalidManifest(location, `${error.message}.`)
    if (hasCode(error, 'EACCES')) throw invalidManifest(location, 'it cannot be read.')
    throw error
  }
}

/** The bytes of a manifest, which are not many. */
export async function readManifest(object: StoredObject): Promise<Uint8Array> {
  if (object.sizeBytes > manifestBytesMax) throw new BadBundle('it is too long')
  try {
    return await object.read(0, object.sizeBytes)
  } catch (error) {
    if (error instanceof TruncatedObject) throw new BadBundle('it ends too soon')
    throw error
  }
}

async function checkParts(
  { parts, bundledSizeBytes }: BundleManifest,
  manifestKey: string,
  open: (key: string) => ReturnType<Buckets['open']>,
): Promise<void> {
  let sizeBytes = 0
  for (const [index, { name }] of parts.entries()) {
    const key = keyBeside(manifestKey, name)
    await using object = isObjectKey(key) ? await open(key) : undefined
    if (!object) throw new BadBundle(`there is no part ${index}`)
    sizeBytes += object.sizeBytes
  }
  if (sizeBytes !== bundledSizeBytes) {
    throw new BadBundle(`its parts have ${sizeBytes} bytes instead of ${bundledSizeBytes}`)
  }
}
