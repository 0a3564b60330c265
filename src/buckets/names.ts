/**
 * The names of buckets and of the objects in them, as S3 has them. A name that is
 * right here is a place inside of its bucket's folder: none leads out of it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */

const bucketForm = /^(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

export const isBucketName = (name: string): boolean => bucketForm.test(name)

const keyBytesMax = 1024
/** What a file system takes as the name of one file, with room for what a temporary one has more. */
const segmentBytesMax = 200

/** Files that are being written begin so. No object has such a name. */
export const temporaryPrefix = '.imago-'

/**
 * S3 takes any key. Here each is the path of a file, so those are refused that are no path, or that
 * are one of something else.
 */
export function isObjectKey(key: string): boolean {
  if (key.includes('\0') || !key.isWellFormed() || Buffer.byteLength(key) > keyBytesMax)
    return false
  return key.split('/').every(isFileName)
}

const isFileName = (name: string): boolean =>
  name !== '' &&
  name !== '.' &&
  name !== '..' &&
  !name.startsWith(temporaryPrefix) &&
  Buffer.byteLength(name) <= segmentBytesMax
