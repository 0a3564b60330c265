/** Reads the disk containers of a call. Refuses what cannot be one: no name leads out of a bucket. */
import type { ImageDiskContainer } from '@aws-sdk/client-ec2'
import { isBucketName, isObjectKey } from '../buckets/names.ts'
import {
  ApiError,
  invalidParameterValue,
  missingParameter,
  unsupportedParameter,
} from '../lib/errors.ts'
import { parseSnapshotId } from '../snapshots/snapshot.ts'
import type { Container, ContainerFormat, ContainerSource } from './container.ts'
import { noSourceCode, twoSourcesCode } from './unknowns.ts'

const textLengthMax = 255
const urlLengthMax = 4096
const formats: readonly string[] = ['RAW', 'VHD', 'VHDX', 'VMDK', 'QCOW2']

/** Reads a container of a call. Refuses what cannot be one. */
export function readContainer(input: ImageDiskContainer | undefined): Container {
  if (!input) throw missingParameter('DiskContainer')
  const { Description: description, DeviceName: deviceName } = input
  checkText('Description', description)
  return {
    source: readSource(input),
    format: readFormat(input.Format),
    description,
    ...(deviceName !== undefined && { deviceName }),
  }
}

export function checkText(name: string, text: string | undefined): void {
  if (text === undefined || text.length <= textLengthMax) return
  throw invalidParameterValue(name, text, `It must have at most ${textLengthMax} characters.`)
}

function readFormat(text: string | undefined): ContainerFormat | undefined {
  if (text === undefined) return undefined
  const format = text.toUpperCase()
  if (format === 'OVA') throw unsupportedParameter('Format=OVA')
  if (isFormat(format)) return format
  throw invalidParameterValue('Format', text, `It must be one of ${formats.join(', ')}.`)
}

const isFormat = (text: string): text is ContainerFormat => formats.includes(text)

function readSource({ Url, UserBucket, SnapshotId }: ImageDiskContainer): ContainerSource {
  const given = [Url, UserBucket, SnapshotId].filter((one) => one !== undefined)
  if (given.length === 0)
    throw new ApiError(noSourceCode, 'The request must contain the parameter UserBucket or Url')
  if (given.length > 1)
    throw new ApiError(twoSourcesCode, 'A disk container can have one of UserBucket and Url.')
  if (SnapshotId !== undefined) return { kind: 'snapshot', snapshotId: parseSnapshotId(SnapshotId) }
  if (Url !== undefined) return readUrl(Url)
  const { S3Bucket: bucket, S3Key: key } = UserBucket ?? {}
  if (!bucket) throw missingParameter('S3Bucket')
  if (!key) throw missingParameter('S3Key')
  return readObject('S3Bucket', bucket, key)
}

function readUrl(url: string): ContainerSource {
  const parsed = url.length <= urlLengthMax && URL.canParse(url) ? new URL(url) : undefined
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/s.exec(url) ?? []
  if (bucket !== undefined && key !== undefined) return { ...readObject('Url', bucket, key), url }
  if (parsed?.protocol === 'https:' || parsed?.protocol === 'http:') return { kind: 'url', url }
  throw invalidParameterValue('Url', url.slice(0, 200), 'It must be an https or an s3 URL.')
}

function readObject(parameter: string, bucket: string, key: string) {
  if (isBucketName(bucket) && isObjectKey(key)) return { kind: 'object', bucket, key } as const
  const name = `${bucket}/${key}`.slice(0, 200)
  throw invalidParameterValue(parameter, name, 'There can be no such object.')
}
