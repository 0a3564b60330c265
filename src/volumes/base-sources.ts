/** Every base that something lies over: volumes, and roots that are none. */
import type { Database } from '../db/database.ts'
import type { BaseSource } from '../qemu/base-files.ts'
import { listInstanceRoots } from '../instances/root-store.ts'
import { listVolumeBases } from './base-store.ts'

export async function listBaseSources(db: Database): Promise<readonly BaseSource[]> {
  const roots = [...(await listInstanceRoots(db)).values()]
  return [
    ...(await listVolumeBases(db)),
    ...roots.map((manifest) => ({ base: { manifest }, storedKeyArn: undefined })),
  ]
}
