/**
 * Repairs the block store from the other copies that a host has, and says what became of
 * what was damaged: that it is whole again, or who has lost it. Nothing else is changed:
 * a snapshot that lost a block goes on to say so when it is read.
 */
import { join } from 'node:path'
import type { Lost } from '../block-store/repair.ts'
import { Buckets } from '../buckets/buckets.ts'
import type { Database } from '../db/database.ts'
import { listAllDirectBlocks } from '../ebs-direct/store.ts'
import { findImages, listImagesOnSnapshots } from '../images/store.ts'
import type { Digest } from '../lib/digest.ts'
import { listLiveManifests } from '../snapshots/live-manifests.ts'
import { listSnapshotsByManifest } from '../snapshots/store.ts'
import { listAllVolumes } from '../volumes/store.ts'
import type { Installation } from './checker.ts'
import { copiesOnHost } from './copies.ts'
import type { Finding } from './finding.ts'

export interface Outcome {
  readonly repaired: readonly Finding[]
  readonly lost: readonly Finding[]
}

/** The service must not be at work. */
export async function repairInstallation(installation: Installation): Promise<Outcome> {
  const { db, blockStore, dataFolder, onProgress, signal } = installation
  const done = await blockStore.repair({
    live: await listLiveManifests(db),
    blocks: listAllDirectBlocks(db),
    copies: copiesOnHost({ db, dataFolder, buckets: new Buckets(join(dataFolder, 'buckets')) }),
    onProgress,
    signal,
  })
  const whatAbout = (what: string) => (about: string) => ({ about, what })
  return {
    repaired: [
      ...done.manifests.map(whatAbout('was damaged, and is repaired: a disk')),
      ...done.blocks.map(whatAbout('was damaged, and is repaired: a block')),
      ...done.packsReplaced.map(whatAbout('had damage, and others took its place')),
    ],
    lost: [
      ...(await nameLostManifests(db, done.lostManifests)),
      ...(await nameLostBlocks(db, done.lostBlocks)),
    ],
  }
}

async function nameLostManifests(
  db: Database,
  lost: readonly Digest[],
): Promise<readonly Finding[]> {
  const owners = await ownersOf(db, lost)
  return lost.map((digest) => ({
    about: digest,
    what: `is lost, a whole disk: ${listOwners([digest], owners)}`,
  }))
}

async function nameLostBlocks(db: Database, lost: readonly Lost[]): Promise<readonly Finding[]> {
  const manifestsOf = ({ uses }: Lost) => [...new Set(uses.map(({ manifest }) => manifest))]
  const owners = await ownersOf(db, [...new Set(lost.flatMap(manifestsOf))])
  return lost.map((one) => {
    const [first] = one.uses
    const place = first
      ? `block ${first.index ?? 'of some place'} of disk ${first.manifest}`
      : 'a block of no disk yet'
    return { about: one.digest, what: `is lost, ${place}: ${listOwners(manifestsOf(one), owners)}` }
  })
}

function listOwners(
  manifests: readonly Digest[],
  owners: ReadonlyMap<Digest, readonly string[]>,
): string {
  const names = [...new Set(manifests.flatMap((manifest) => owners.get(manifest) ?? []))]
  return names.length > 0 ? `needed by ${names.join(', ')}` : 'needed by what is under way'
}

/** Snapshots, the images on them, and volumes, by the disks that they have. */
async function ownersOf(
  db: Database,
  manifests: readonly Digest[],
): Promise<ReadonlyMap<Digest, readonly string[]>> {
  const owners = new Map<Digest, string[]>()
  const add = (manifest: Digest, name: string) =>
    owners.set(manifest, [...(owners.get(manifest) ?? []), name])
  const volumes = await listAllVolumes(db)
  for (const manifest of manifests) {
    const snapshotIds = await listSnapshotsByManifest(db, manifest)
    for (const id of snapshotIds) add(manifest, id)
    const images = new Set([...(await listImagesOnSnapshots(db, snapshotIds)).values()].flat())
    for (const { id, name } of await findImages(db, [...images])) add(manifest, `${id} "${name}"`)
    for (const { id, baseManifest } of volumes) if (baseManifest === manifest) add(manifest, id)
  }
  return owners
}
