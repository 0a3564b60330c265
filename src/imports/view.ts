/** An import as our own API answers it. */
import type { Import } from './import.ts'

export function viewImport(item: Import): object {
  const { id, kind, source, state, message, doneBytes, totalBytes, imageId, snapshotId } = item
  return {
    importId: id,
    kind,
    source,
    name: item.image.name,
    region: item.region,
    state,
    message,
    doneBytes,
    totalBytes,
    imageId,
    snapshotId,
  }
}
