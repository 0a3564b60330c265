/** Every call of our own API: a line each. Signed and audited as AWS's calls are. */
import { createGarbageCollection } from './garbage/operations/create-garbage-collection.ts'
import { describeGarbageCollection } from './garbage/operations/describe-garbage-collection.ts'
import { createCatalogImport } from './imports/operations/create-catalog-import.ts'
import { createImport } from './imports/operations/create-import.ts'
import { describeImport } from './imports/operations/describe-import.ts'
import { describeSnapshotContent } from './snapshots/operations/describe-snapshot-content.ts'
import type { Extension } from './wire/extension.ts'

export const extensions: readonly Extension[] = [
  createCatalogImport,
  createGarbageCollection,
  createImport,
  describeGarbageCollection,
  describeImport,
  describeSnapshotContent,
]
