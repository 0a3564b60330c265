/** Every action of the API: a line each, under the folder that has it. */
import { describeInstanceStatus } from './instances/operations/describe-instance-status.ts'
import { describeInstanceTypeOfferings } from './instances/operations/describe-instance-type-offerings.ts'
import { describeInstanceTypes } from './instances/operations/describe-instance-types.ts'
import { describeInstances } from './instances/operations/describe-instances.ts'
import { getConsoleOutput } from './instances/operations/get-console-output.ts'
import { getConsoleScreenshot } from './instances/operations/get-console-screenshot.ts'
import { modifyInstanceMetadataOptions } from './instances/operations/modify-instance-metadata-options.ts'
import { rebootInstances } from './instances/operations/reboot-instances.ts'
import { runInstances } from './instances/operations/run-instances.ts'
import { startInstances } from './instances/operations/start-instances.ts'
import { stopInstances } from './instances/operations/stop-instances.ts'
import { terminateInstances } from './instances/operations/terminate-instances.ts'
import { createSnapshot } from './snapshots/operations/create-snapshot.ts'
import { createSnapshots } from './snapshots/operations/create-snapshots.ts'
import { deleteSnapshot } from './snapshots/operations/delete-snapshot.ts'
import { describeSnapshotAttribute } from './snapshots/operations/describe-snapshot-attribute.ts'
import { describeSnapshots } from './snapshots/operations/describe-snapshots.ts'
import { modifySnapshotAttribute } from './snapshots/operations/modify-snapshot-attribute.ts'
import { resetSnapshotAttribute } from './snapshots/operations/reset-snapshot-attribute.ts'
import { createTags } from './tags/operations/create-tags.ts'
import { deleteTags } from './tags/operations/delete-tags.ts'
import { describeTags } from './tags/operations/describe-tags.ts'
import { attachVolume } from './volumes/operations/attach-volume.ts'
import { createVolume } from './volumes/operations/create-volume.ts'
import { deleteVolume } from './volumes/operations/delete-volume.ts'
import { describeVolumeStatus } from './volumes/operations/describe-volume-status.ts'
import { describeVolumes } from './volumes/operations/describe-volumes.ts'
import { detachVolume } from './volumes/operations/detach-volume.ts'
import type { Operation } from './wire/operation.ts'

const all: readonly Operation[] = [
  // instances/
  describeInstanceStatus,
  describeInstanceTypeOfferings,
  describeInstanceTypes,
  describeInstances,
  getConsoleOutput,
  getConsoleScreenshot,
  modifyInstanceMetadataOptions,
  rebootInstances,
  runInstances,
  startInstances,
  stopInstances,
  terminateInstances,
  // snapshots/
  createSnapshot,
  createSnapshots,
  deleteSnapshot,
  describeSnapshotAttribute,
  describeSnapshots,
  modifySnapshotAttribute,
  resetSnapshotAttribute,
  // tags/
  createTags,
  deleteTags,
  describeTags,
  // volumes/
  attachVolume,
  createVolume,
  deleteVolume,
  describeVolumeStatus,
  describeVolumes,
  detachVolume,
]

/** By service and action: `ec2:RunInstances`. */
export const actions: ReadonlyMap<string, Operation> = new Map(
  all.map((operation) => [`${operation.service ?? 'ec2'}:${operation.action}`, operation]),
)
