/** A disk container: where a disk is to come from, and in which format it says that it is. */
import type { Id } from '../lib/ids.ts'

export type ContainerFormat = 'RAW' | 'VHD' | 'VHDX' | 'VMDK' | 'QCOW2'

export type ContainerSource =
  | { readonly kind: 'url'; readonly url: string }
  /** `url` where it was named by one, `s3://bucket/key`. */
  | {
      readonly kind: 'object'
      readonly bucket: string
      readonly key: string
      readonly url?: string
    }
  | { readonly kind: 'snapshot'; readonly snapshotId: Id<'snapshot'> }

export interface Container {
  readonly source: ContainerSource
  /** Found out from the bytes where nothing is said. */
  readonly format: ContainerFormat | undefined
  readonly description: string | undefined
  readonly deviceName?: string | undefined
}
