/**
 * What an operation may look at beside the database: the screen and the console
 * of a machine, what the host can hold. Each is read-only by its type.
 */
import type { Buckets } from '../buckets/buckets.ts'
import type { BlockStore } from '../block-store/block-store.ts'
import type { Database } from '../db/database.ts'
import type { Digest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import type { OutboundRules } from '../outbound/rules.ts'
import type { EndorsementKeyType } from '../qemu/tpm-key.ts'
import type { Base, BaseProgress } from '../qemu/base-files.ts'
import type { UefiVariable } from '../qemu/uefi-variable.ts'
import type { RandomBytes, Sealer } from '../lib/seal.ts'

export interface Readers {
  /** The last `bytesMax` bytes that a machine has written to its serial console, and when. */
  consoleOutput(
    instanceId: string,
    bytesMax: number,
  ): Promise<{ readonly bytes: Uint8Array; readonly at: Date } | undefined>
  /** A picture of a running machine's screen, as JPEG; one that sleeps can be woken for it. */
  screenshot(
    instanceId: string,
    options: { readonly wakesUp: boolean },
  ): Promise<Uint8Array | undefined>
  /** What a stored disk runs, as far as it is not Linux; nothing where it cannot be read. */
  platform(manifest: Digest, keyArn: string | undefined): Promise<'windows' | undefined>
  /** The buckets that objects are in: whether one is there, and what is in it. */
  readonly buckets: Pick<Buckets, 'hasBucket' | 'hasObject' | 'open'>
  /** How large images are. */
  readonly imageSizes: ImageSizes
  /** How far apart snapshots of one volume are to be asked for while one is under way. */
  readonly snapshotsApartMs: number
  /** What the service may call for those who ask it to. */
  readonly outbound: OutboundRules
  /** What is in the block store, verified. */
  readonly blocks: Pick<BlockStore, 'readBlock' | 'readManifest'>
  /** 32 bytes that only this installation can make of a text, to vouch for it when it comes back. */
  readonly seal: (text: string) => Uint8Array
  /** Seals what nobody is to read from the database, and opens it. */
  readonly masterKey: Sealer
  readonly randomBytes: RandomBytes
  /** The variables of an instance's UEFI; nothing where it has none yet. */
  uefiVariables(instanceId: string): Promise<readonly UefiVariable[] | 'unreadable' | undefined>
  /** What EC2 compresses variables with, where the installation has it. */
  readonly uefiDictionary: Uint8Array | undefined
  /** A public half of a key of an instance's TPM, as TPMT_PUBLIC; nothing where it has no TPM yet. */
  tpmKey(instanceId: string, type: EndorsementKeyType): Promise<Uint8Array | undefined>
  /** Why no machine can have a TPM here, if none can. */
  tpmProblem(): string | undefined
  /** How far a base is made. */
  baseProgress(base: Base): Promise<BaseProgress>
  /** The host as it can be shared out among machines. */
  host(): HostCapacity
}

export interface ImageSize {
  /** Of its blocks, each once, before they are packed. */
  readonly dataBytes: number
  /** Of those that neither another image nor a snapshot of none has. */
  readonly aloneBytes: number
}

export interface ImageSizes {
  /** Nothing while it is still being found out: then one asks again. */
  of(db: Database): Promise<ReadonlyMap<Id<'image'>, ImageSize> | undefined>
}

export interface HostCapacity {
  readonly vcpus: number
  readonly memoryMiB: number
  /** `x86_64` or `arm64`, as EC2 names them. */
  readonly architecture: string
}
