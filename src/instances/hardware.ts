/**
 * The machine that an instance is: what EC2 shows a guest of its hardware, so
 * that cloud-init and the like recognise where they run.
 */
import { createHash } from 'node:crypto'
import type { Id } from '../lib/ids.ts'
import type { DiskKeys } from '../qemu/luks.ts'
import type { DiskSpec } from '../qemu/machine-spec.ts'
import type { Attachment } from '../volumes/attachment.ts'

/**
 * EC2's identifies itself by a UUID and a serial number that begin with `ec2`.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html
 */
export function uuidOf(id: Id<'instance'>): string {
  const hex = `ec2${createHash('sha256').update(id).digest('hex')}`
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

/** What the firmware tells the guest: cloud-init looks at types 1 and 3. */
export function smbiosOf(id: Id<'instance'>, instanceType: string) {
  const manufacturer = 'Amazon EC2'
  return {
    0: { vendor: manufacturer, version: '1.0' },
    1: { manufacturer, product: instanceType, serial: uuidOf(id) },
    2: { manufacturer, asset: id },
    3: { manufacturer, asset: manufacturer },
  }
}

/** The disk that a volume is to its machine. */
export function diskOf(volumeId: Id<'volume'>, folder: string, keys?: DiskKeys): DiskSpec {
  // The serial number is as EC2's NVMe disks have it: the id without its dash, 20 characters.
  const disk = { id: diskId(volumeId), folder, serial: volumeId.replace('-', '') }
  return keys ? { ...disk, keys } : disk
}

/** A disk of the host's own. Its serial number begins as those of EC2's instance stores do. */
export function hostDiskOf(id: Id<'instance'>, folder: string): DiskSpec {
  return { id: 'root', folder, serial: `AWS${id.slice('i-'.length).toUpperCase()}` }
}

/** QEMU's names are short: the digits of a volume's id are enough. */
export function diskId(volumeId: Id<'volume'>): string {
  return `v${volumeId.slice('vol-'.length)}`
}

/** The order in which a guest finds its disks: the root first, then by their names. */
export function inBootOrder(
  attachments: readonly Attachment[],
  rootDeviceName: string,
): readonly Attachment[] {
  const rank = ({ device }: Attachment) => (device === rootDeviceName ? `0${device}` : `1${device}`)
  return attachments.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))
}
