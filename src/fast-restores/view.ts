/** Fast restores as EC2 answers them. */
import type { DescribeFastSnapshotRestoreSuccessItem } from '@aws-sdk/client-ec2'
import { findZone } from '../network/zone.ts'
import { type FastRestore, reasonOf } from './fast-restore.ts'

export function viewFastRestore(
  restore: FastRestore,
): Omit<DescribeFastSnapshotRestoreSuccessItem, 'OwnerAlias'> {
  const { times, zone, region } = restore
  return {
    SnapshotId: restore.snapshotId,
    AvailabilityZone: zone,
    AvailabilityZoneId: findZone(region, zone)?.id,
    State: restore.state,
    StateTransitionReason: reasonOf(restore),
    OwnerId: restore.accountId,
    EnablingTime: times.enabling,
    OptimizingTime: times.optimizing,
    EnabledTime: times.enabled,
    DisablingTime: times.disabling,
    DisabledTime: times.disabled,
  }
}
