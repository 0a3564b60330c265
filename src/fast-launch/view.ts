/** Fast launch as EC2 answers it. */
import type { DescribeFastLaunchImagesSuccessItem } from '@aws-sdk/client-ec2'
import type { FastLaunch } from './fast-launch.ts'

export function viewFastLaunch(
  fastLaunch: FastLaunch,
): Omit<DescribeFastLaunchImagesSuccessItem, 'LaunchTemplate'> {
  return {
    ImageId: fastLaunch.imageId,
    ResourceType: 'snapshot',
    SnapshotConfiguration: { TargetResourceCount: fastLaunch.targetCount },
    MaxParallelLaunches: fastLaunch.parallelMax,
    OwnerId: fastLaunch.accountId,
    State: fastLaunch.state,
    StateTransitionReason: fastLaunch.reason,
    StateTransitionTime: fastLaunch.stateSince,
  }
}
