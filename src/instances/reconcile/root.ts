/** The root of an instance that is no volume: a file over a base, made at the launch and removed in the end. */
import assert from 'node:assert/strict'
import { createVolume, removeVolume } from '../../qemu/layers.ts'
import type { DiskSpec } from '../../qemu/machine-spec.ts'
import { hostDiskOf } from '../hardware.ts'
import type { Instance } from '../instance.ts'
import { hasHostRoot } from '../instance-store.ts'
import { findInstanceRoot } from '../root-store.ts'
import type { InstanceDependencies } from './context.ts'

/** Makes it where it is missing. Nothing where the root is a volume. */
export async function makeRoot(
  instance: Instance,
  { db, bases, rootFolder }: InstanceDependencies,
): Promise<void> {
  if (!hasHostRoot(instance)) return
  const root = await findInstanceRoot(db.reads, instance.id)
  assert(root, `${instance.id} has no root`)
  const base = await bases.prepare({ base: { manifest: root.disk }, storedKeyArn: undefined })
  await createVolume(rootFolder(instance.id), { sizeBytes: root.sizeBytes, base })
}

/** The disk that it is to its machine. */
export function rootDisksOf(
  instance: Instance,
  { rootFolder }: InstanceDependencies,
): readonly DiskSpec[] {
  return hasHostRoot(instance) ? [hostDiskOf(instance.id, rootFolder(instance.id))] : []
}

/** No machine has it any more. */
export async function removeRoot(
  instance: Instance,
  { rootFolder }: InstanceDependencies,
): Promise<void> {
  if (hasHostRoot(instance)) await removeVolume(rootFolder(instance.id))
}
