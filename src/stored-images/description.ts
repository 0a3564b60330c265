/**
 * What a stored image's object says of the image: JSON, described in
 * docs/formats/stored-image.md. `parseDescription` reads what anyone may have
 * written: whatever it lets pass can become an image.
 */
import type { BlockDevice, EbsDevice, Image } from '../images/image.ts'
import { checkImageName, imageDescriptionMax } from '../images/image.ts'
import { uefiDataMax } from '../images/unknowns.ts'
import type { Watermark } from '../images/watermark.ts'
import { checkWatermarkKey } from '../images/watermark.ts'
import { type Digest, isDigest } from '../lib/digest.ts'
import { type Id, isId } from '../lib/ids.ts'
import { checkTags, type Tag } from '../tags/tag.ts'
import { volumeTypes } from '../volumes/volume-type.ts'
import {
  BadObject,
  flag,
  instant,
  integer,
  items,
  list,
  optional,
  record,
  text,
} from './reading.ts'
import { imageGiBMax } from './store-task.ts'

/** What stays of an image wherever it goes. */
type Kept = Pick<
  Image,
  | 'id'
  | 'accountId'
  | 'region'
  | 'name'
  | 'description'
  | 'createdAt'
  | 'architecture'
  | 'bootMode'
  | 'rootDeviceName'
  | 'virtualizationType'
  | 'platform'
  | 'platformDetails'
  | 'usageOperation'
  | 'enaSupport'
  | 'sriovNetSupport'
  | 'imdsSupport'
  | 'tpmSupport'
  | 'blockDevices'
>

export interface StoredDisk {
  /** The snapshot that it was, by which the block devices name it. */
  readonly snapshotId: Id<'snapshot'>
  readonly manifest: Digest
  readonly sizeGiB: number
  readonly tags: readonly Tag[]
}

export interface Description {
  /** What tells one object of an image from another one. */
  readonly task: string
  readonly storedAt: Date
  /** The object's own tags. */
  readonly objectTags: readonly Tag[]
  readonly image: Kept & {
    readonly uefiData: string | undefined
    readonly tags: readonly Tag[]
    readonly watermarks: readonly Watermark[]
  }
  readonly disks: readonly StoredDisk[]
}

const version = 1
export const descriptionBytesMax = 1024 * 1024

export function encodeDescription({ image, ...description }: Description): Buffer {
  const { blockDevices, ...rest } = image
  return Buffer.from(
    JSON.stringify({
      version,
      ...description,
      image: { ...rest, blockDevices: blockDevices.map(plainDevice) },
    }),
  )
}

/** Of a disk with blocks its encryption is left behind: they are in the object as they are. */
function plainDevice({ deviceName, virtualName, ebs }: BlockDevice): BlockDevice {
  return {
    deviceName,
    ...(virtualName !== undefined && { virtualName }),
    ...(ebs && { ebs: plainEbs(ebs) }),
  }
}

function plainEbs(ebs: EbsDevice): EbsDevice {
  const { snapshotId, sizeGiB, type, iops, throughput, isEncrypted, deleteOnTermination } = ebs
  return {
    ...(snapshotId !== undefined && { snapshotId }),
    ...(snapshotId === undefined && isEncrypted && { isEncrypted }),
    sizeGiB,
    type,
    ...(iops !== undefined && { iops }),
    ...(throughput !== undefined && { throughput }),
    deleteOnTermination,
  }
}

/** Throws `BadObject` where the bytes are no description. */
export function parseDescription(bytes: Uint8Array): Description {
  const read = record(parseJson(bytes), 'the description')
  if (read['version'] !== version) throw new BadObject('it is of another version')
  const disks = items(list(read['disks'], 'disks', disksMax), parseDisk)
  const snapshotIds = new Set<string>(disks.map(({ snapshotId }) => snapshotId))
  const image = parseImage(record(read['image'], 'image'))
  const named = new Set(image.blockDevices.flatMap(({ ebs }) => ebs?.snapshotId ?? []))
  if (snapshotIds.size < disks.length || named.symmetricDifference(snapshotIds).size > 0) {
    throw new BadObject('its disks are not those of its block devices')
  }
  if (disks.reduce((sum, { sizeGiB }) => sum + sizeGiB, 0) > imageGiBMax) {
    throw new BadObject('its disks are larger than an image can be')
  }
  for (const { ebs } of image.blockDevices) {
    const disk = disks.find(({ snapshotId }) => snapshotId === ebs?.snapshotId)
    if (ebs && disk && ebs.sizeGiB < disk.sizeGiB) {
      throw new BadObject('a block device is smaller than its disk')
    }
  }
  return {
    task: text(read['task'], 'task', /^[0-9a-f-]{1,64}$/),
    storedAt: instant(read['storedAt'], 'storedAt'),
    objectTags: parseTags(read['objectTags'], 'objectTags'),
    image,
    disks,
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
  } catch {
    throw new BadObject('its description is no JSON')
  }
}

const disksMax = 64
const devicesMax = 128
const watermarksMax = 200
const word = /^[\x20-\x7e]{1,128}$/
const deviceForm = /^[\x21-\x7e]{1,64}$/
const accountForm = /^\d{12}$/
const regionForm = /^[a-z0-9-]{1,32}$/

function parseImage(read: Readonly<Record<string, unknown>>): Description['image'] {
  const blockDevices = items(list(read['blockDevices'], 'blockDevices', devicesMax), parseDevice)
  const rootDeviceName = text(read['rootDeviceName'], 'rootDeviceName', deviceForm)
  const root = blockDevices.filter(({ deviceName }) => deviceName === rootDeviceName)
  if (root.length !== 1 || root[0]?.ebs?.snapshotId === undefined) {
    throw new BadObject('it has no root disk')
  }
  if (new Set(blockDevices.map((one) => one.deviceName)).size < blockDevices.length) {
    throw new BadObject('it has two disks of one name')
  }
  const maybe = (name: string, ...choices: readonly string[]) =>
    optional(read[name], (value) => oneOf(choices, value, name))
  return {
    id: idOf('image', read['id']),
    accountId: text(read['accountId'], 'accountId', accountForm),
    region: text(read['region'], 'region', regionForm),
    name: checked(read['name'], 'name', checkImageName),
    description: optional(read['description'], (value) =>
      text(value, 'description', /^[^\0]*$/, imageDescriptionMax),
    ),
    createdAt: instant(read['createdAt'], 'createdAt'),
    architecture: oneOf(architectures, read['architecture'], 'architecture'),
    bootMode: maybe('bootMode', 'legacy-bios', 'uefi', 'uefi-preferred') as Image['bootMode'],
    rootDeviceName,
    virtualizationType: oneOf(['hvm'], read['virtualizationType'], 'virtualizationType'),
    platform: maybe('platform', 'windows') as Image['platform'],
    platformDetails: text(read['platformDetails'], 'platformDetails', word),
    usageOperation: text(read['usageOperation'], 'usageOperation', word),
    enaSupport: flag(read['enaSupport'], 'enaSupport'),
    sriovNetSupport: maybe('sriovNetSupport', 'simple'),
    imdsSupport: maybe('imdsSupport', 'v2.0'),
    tpmSupport: maybe('tpmSupport', 'v2.0'),
    uefiData: optional(read['uefiData'], (value) =>
      text(value, 'uefiData', /^[A-Za-z0-9+/=\s]*$/, uefiDataMax),
    ),
    blockDevices,
    tags: parseTags(read['tags'], 'tags'),
    watermarks: items(list(read['watermarks'], 'watermarks', watermarksMax), parseWatermark),
  }
}

const architectures = ['i386', 'x86_64', 'arm64', 'x86_64_mac', 'arm64_mac']

function parseDevice(value: unknown): BlockDevice {
  const read = record(value, 'a block device')
  const ebs = optional(read['ebs'], parseEbs)
  const virtualName = optional(read['virtualName'], (one) => text(one, 'virtualName', deviceForm))
  if ((ebs === undefined) === (virtualName === undefined)) {
    throw new BadObject('a block device is neither one thing nor the other')
  }
  return {
    deviceName: text(read['deviceName'], 'deviceName', deviceForm),
    ...(virtualName !== undefined && { virtualName }),
    ...(ebs && { ebs }),
  }
}

function parseEbs(value: unknown): EbsDevice {
  const read = record(value, 'ebs')
  const snapshotId = optional(read['snapshotId'], (one) => idOf('snapshot', one))
  const iops = optional(read['iops'], (one) => integer(one, 'iops', 1, 1_000_000))
  const throughput = optional(read['throughput'], (one) => integer(one, 'throughput', 1, 100_000))
  const isEncrypted = optional(read['isEncrypted'], (one) => flag(one, 'isEncrypted'))
  if (isEncrypted && snapshotId !== undefined) throw new BadObject('a disk of it is not plain')
  return {
    ...(snapshotId !== undefined && { snapshotId }),
    ...(isEncrypted && { isEncrypted }),
    sizeGiB: integer(read['sizeGiB'], 'sizeGiB', 1, sizeGiBMax),
    type: oneOf(Object.keys(volumeTypes), read['type'], 'type'),
    ...(iops !== undefined && { iops }),
    ...(throughput !== undefined && { throughput }),
    deleteOnTermination: flag(read['deleteOnTermination'], 'deleteOnTermination'),
  }
}

const sizeGiBMax = 65_536

function parseDisk(value: unknown): StoredDisk {
  const read = record(value, 'a disk')
  const manifest = text(read['manifest'], 'manifest', /^sha256:[0-9a-f]{64}$/)
  if (!isDigest(manifest)) throw new BadObject('manifest is wrong')
  return {
    snapshotId: idOf('snapshot', read['snapshotId']),
    manifest,
    sizeGiB: integer(read['sizeGiB'], 'sizeGiB', 1, sizeGiBMax),
    tags: parseTags(read['tags'], 'tags of a disk'),
  }
}

function parseWatermark(value: unknown): Watermark {
  const read = record(value, 'a watermark')
  return {
    key: checked(read['key'], 'key', checkWatermarkKey),
    sourceImageId: idOf('image', read['sourceImageId']),
    sourceImageRegion: text(read['sourceImageRegion'], 'sourceImageRegion', regionForm),
    sourceImageCreatedAt: instant(read['sourceImageCreatedAt'], 'sourceImageCreatedAt'),
    createdAt: instant(read['createdAt'], 'createdAt'),
  }
}

function parseTags(value: unknown, what: string): readonly Tag[] {
  const tags = items(list(value, what, 100), (one) => {
    const read = record(one, what)
    const part = (name: string) => text(read[name], `${name} of ${what}`, /^[^\0]*$/, 1024)
    return { key: part('key'), value: part('value') }
  })
  try {
    return checkTags(tags)
  } catch {
    throw new BadObject(`${what} are such as no resource can have`)
  }
}

function idOf<const K extends 'image' | 'snapshot'>(kind: K, value: unknown): Id<K> {
  const found = text(value, `id of the ${kind}`, /^[a-z0-9-]{1,40}$/)
  if (isId(kind, found)) return found
  throw new BadObject(`id of the ${kind} is wrong`)
}

function oneOf(choices: readonly string[], value: unknown, what: string): string {
  const found = choices.find((choice) => choice === value)
  if (found !== undefined) return found
  throw new BadObject(`${what} is wrong`)
}

function checked(value: unknown, what: string, check: (found: string) => void): string {
  const found = text(value, what, /^[^\0]*$/, 256)
  try {
    check(found)
    return found
  } catch {
    throw new BadObject(`${what} is wrong`)
  }
}
