import { visibleImage } from '../../images/find.ts'
import type { Extension } from '../../wire/extension.ts'
import { disksOf } from '../disks-of.ts'
import { findScan, listScanResults } from '../store.ts'

/** What is installed on the disk of an image, and what its scan came to: or why there is none. */
export const describeImageScan: Extension = {
  kind: 'read',
  action: 'DescribeImageScan',
  method: 'GET',
  path: '/imago/v1/images/:id/scan',
  async run({ input, db, caller, region, now }) {
    const wanted = { accountId: caller.accountId, region, id: input.path['id'], now }
    const image = await visibleImage(db, wanted)
    const imageId = image.id
    const root = (await disksOf(db, [image])).get(imageId)
    const scan = root && (await findScan(db, root.disk))
    if (!root || !scan || scan.feed === 0) return { imageId, state: 'not-scanned' }
    const { problem, inventory } = scan
    if (problem !== undefined) return { imageId, state: 'not-scanned', problem }
    const results = (await listScanResults(db, [root.disk])).get(root.disk)
    return {
      imageId,
      state: 'scanned',
      scannedAt: results && new Date(results.scannedAtMs).toISOString(),
      findings: results?.counts,
      system: inventory?.system,
      ecosystem: inventory?.ecosystem,
      packages: inventory?.sources.flatMap(({ name: source, packages }) =>
        packages.map(({ name, version }) => ({ name, version, source })),
      ),
    }
  },
}
