/** What calls look at beside the database, where there is nothing: no machine, no block, no bucket. */
import { Buckets } from '../src/buckets/buckets.ts'
import { publicOnly } from '../src/outbound/rules.ts'
import type { Readers } from '../src/wire/readers.ts'

const noBlock = () => Promise.reject(new Error('there are no blocks'))

/** Of a host on which anything that is asked for has room. */
export const emptyReaders: Readers = {
  masterKey: { seal: () => new Uint8Array(), open: () => new Uint8Array() },
  randomBytes: (count) => new Uint8Array(count),
  consoleOutput: async () => undefined,
  screenshot: async () => undefined,
  platform: async () => undefined,
  blocks: { readBlock: noBlock, readManifest: noBlock },
  seal: () => new Uint8Array(32),
  outbound: publicOnly,
  snapshotsApartMs: 0,
  imageSizes: { of: async () => new Map() },
  uefiVariables: async () => undefined,
  uefiDictionary: undefined,
  tpmKey: async () => undefined,
  tpmProblem: () => undefined,
  buckets: new Buckets('/nowhere'),
  baseProgress: async () => ({ percent: 100, isDamaged: false }),
  host: () => ({ vcpus: 100_000, memoryMiB: 100_000_000, architecture: 'x86_64' }),
}
