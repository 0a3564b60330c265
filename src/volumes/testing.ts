/** For tests: a small blank volume, and one as a disk of an instance, as far as the rows say. */
import type { Instance } from '../instances/instance.ts'
import type { Id } from '../lib/ids.ts'
import type { Attachment } from './attachment.ts'
import type { Volume } from './volume.ts'

export function aVolume(number: number, changes: Partial<Volume> = {}): Volume {
  const { region = 'us-east-1' } = changes
  return {
    id: `vol-${String(number).padStart(17, '0')}`,
    accountId: '111111111111',
    region,
    availabilityZone: `${region}a`,
    sizeGiB: 1,
    type: 'gp3',
    iops: 3000,
    throughput: 125,
    snapshotId: undefined,
    state: 'available',
    createdAt: new Date(1),
    baseManifest: undefined,
    knownLayer: 0,
    knownManifest: undefined,
    knownSnapshotId: undefined,
    ...changes,
  }
}

/** That the volume is the root disk of the instance. */
export const asRoot = (
  { id }: { readonly id: Id<'volume'> },
  { id: instanceId, rootDeviceName, launchedAt }: Instance,
): Attachment => ({
  volumeId: id,
  instanceId,
  device: rootDeviceName,
  state: 'attached',
  isDetachForced: false,
  deleteOnTermination: true,
  attachedAt: launchedAt,
})
