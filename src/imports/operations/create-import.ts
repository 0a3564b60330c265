import type { Extension } from '../../wire/extension.ts'
import { formatImportId, parseImportRequest } from '../import.ts'
import { insertImport } from '../store.ts'
import { viewImport } from '../view.ts'

/** Takes a file of this host or a URL, to make an image of it. */
export const createImport: Extension = {
  kind: 'write',
  action: 'CreateImport',
  method: 'POST',
  path: '/imago/v1/imports',
  async run(call) {
    const wished = parseImportRequest(call.input.body)
    const id = formatImportId(call.randomBytes(8))
    const item = {
      ...wished,
      id,
      accountId: call.caller.accountId,
      region: call.region,
      state: 'active',
      message: 'waiting',
      doneBytes: 0,
      totalBytes: 0,
      createdAt: call.now,
      imageId: undefined,
      snapshotId: undefined,
      manifest: undefined,
    } as const
    await insertImport(call.tx, item)
    return viewImport(item)
  },
}
