/**
 * What the disk key of a KMS key opens: the files of volumes, their bases, and what is
 * stored of snapshots. Each gets a key of its own that follows from it.
 */
import { type BlockCipher, cipherOf } from '../block-store/block-cipher.ts'
import { derive } from '../lib/derive.ts'
import type { Base, BaseSource } from '../qemu/base-files.ts'
import { type DiskKeys, LuksKey } from '../qemu/luks.ts'
import type { Volume } from './volume.ts'

/** Opens the disk key of a KMS key, by its ARN. Throws `KeyUnusable`. */
export type OpenDiskKey = (arn: string) => Promise<Uint8Array>

/** The base of a volume, where it has one: a file under the volume's own key. */
export function baseOf(volume: Pick<Volume, 'baseManifest' | 'kmsKeyArn'>): Base | undefined {
  const { baseManifest: manifest, kmsKeyArn: keyId } = volume
  return manifest && { manifest, keyId }
}

/** The same, with what its content is under in the block store. */
export function baseSourceOf(
  volume: Pick<Volume, 'baseManifest' | 'kmsKeyArn' | 'baseKmsKeyArn'>,
): BaseSource | undefined {
  const base = baseOf(volume)
  return base && { base, storedKeyArn: volume.baseKmsKeyArn }
}

/** What the files of a volume are encrypted with, where they are. */
export async function keysOfVolume(
  volume: Pick<Volume, 'id' | 'baseManifest' | 'kmsKeyArn'>,
  openDiskKey: OpenDiskKey,
): Promise<DiskKeys | undefined> {
  if (volume.kmsKeyArn === undefined) return undefined
  const key = await openDiskKey(volume.kmsKeyArn)
  const base = baseOf(volume)
  return {
    layers: new LuksKey(derive(key, `volume ${volume.id}`)),
    ...(base && { base: baseKey(key, base) }),
  }
}

/** What a base is encrypted with, where it is. */
export async function keyOfBase(
  base: Base,
  openDiskKey: OpenDiskKey,
): Promise<LuksKey | undefined> {
  return base.keyId === undefined ? undefined : baseKey(await openDiskKey(base.keyId), base)
}

const baseKey = (key: Uint8Array, { manifest }: Base): LuksKey =>
  new LuksKey(derive(key, `base ${manifest}`))

/** What the block store has the disk under, where it is encrypted. */
export async function cipherUnder(
  arn: string | undefined,
  openDiskKey: OpenDiskKey,
): Promise<BlockCipher | undefined> {
  return arn === undefined ? undefined : cipherOf(derive(await openDiskKey(arn), 'block store'))
}
