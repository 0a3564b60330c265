/** Every call of our own API: a line each. Signed and audited as AWS's calls are. */
import { describeAdvisories } from './advisories/operations/describe-advisories.ts'
import { importAdvisories } from './advisories/operations/import-advisories.ts'
import { createEventSubscription } from './events/operations/create-event-subscription.ts'
import { deleteEventSubscription } from './events/operations/delete-event-subscription.ts'
import { listEventSubscriptions } from './events/operations/list-event-subscriptions.ts'
import { explainImageCall } from './explanations/operations/explain-image.ts'
import { createGarbageCollection } from './garbage/operations/create-garbage-collection.ts'
import { describeGarbageCollection } from './garbage/operations/describe-garbage-collection.ts'
import { createCatalogImport } from './imports/operations/create-catalog-import.ts'
import { createImport } from './imports/operations/create-import.ts'
import { describeImport } from './imports/operations/describe-import.ts'
import { describeImageScan } from './scans/operations/describe-image-scan.ts'
import { getInventory } from './inventory/operations/get-inventory.ts'
import { listLaunches } from './inventory/operations/list-launches.ts'
import { describeSnapshotContent } from './snapshots/operations/describe-snapshot-content.ts'
import type { Extension } from './wire/extension.ts'

export const extensions: readonly Extension[] = [
  createCatalogImport,
  createEventSubscription,
  createGarbageCollection,
  createImport,
  deleteEventSubscription,
  describeAdvisories,
  describeGarbageCollection,
  describeImageScan,
  describeImport,
  describeSnapshotContent,
  getInventory,
  explainImageCall,
  importAdvisories,
  listEventSubscriptions,
  listLaunches,
]
