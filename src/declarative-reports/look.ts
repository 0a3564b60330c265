/** Looks at the settings of all accounts under a root, a unit or an account, in every Region. */
import type { Database } from '../db/database.ts'
import { readImageSettings } from '../images/held-settings.ts'
import { listAllUnits, listMembers } from '../organizations/store.ts'
import { readPublicAccess } from '../snapshots/held-public-access.ts'
import type { Line, Report } from './report.ts'

export async function lookAt(
  db: Database,
  { organizationId, targetId }: Pick<Report, 'organizationId' | 'targetId'>,
  regions: readonly string[],
): Promise<readonly Line[]> {
  const units = await listAllUnits(db, organizationId)
  // The target and all units under it. A unit may be listed before the one that it is in.
  const under = new Set([targetId])
  for (let before = 0; before !== under.size;) {
    before = under.size
    for (const unit of units) if (under.has(unit.parentId)) under.add(unit.id)
  }
  const members = await listMembers(db, { organizationId })
  const accounts = members.filter(
    ({ accountId, parentId, closure }) =>
      !closure && (accountId === targetId || under.has(parentId)),
  )
  const lines: Line[] = []
  for (const { accountId } of accounts) {
    for (const region of regions) lines.push(...(await settingsOf(db, { accountId, region })))
  }
  return lines
}

async function settingsOf(
  db: Database,
  owner: Pick<Line, 'accountId' | 'region'>,
): Promise<readonly Line[]> {
  const images = await readImageSettings(db, owner)
  const snapshots = await readPublicAccess(db, owner)
  const { publicAccess, allowedImages } = images.managers
  // In the words of the policies.
  const line = (attribute: string, value: string, managedBy: string): Line => ({
    ...owner,
    attribute,
    value: value.replaceAll('-', '_'),
    managedBy,
  })
  return [
    line('image_block_public_access', images.publicAccess, publicAccess),
    line('snapshot_block_public_access', snapshots.access, snapshots.manager),
    line('allowed_images_settings', images.allowedState, allowedImages),
  ]
}
