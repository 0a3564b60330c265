/** Which images of others an account allows itself in a Region. Its own are always allowed. */
import type { Database } from '../db/database.ts'
import { type Account, listProviders } from '../iam/store.ts'
import type { Id } from '../lib/ids.ts'
import { resultsOf } from '../scans/results-of.ts'
import { type Criterion, meetsCriteria } from './criterion.ts'
import { readImageSettings } from './held-settings.ts'
import type { Image } from './image.ts'
import { listWatermarks } from './watermark-store.ts'

export interface Allowance {
  /** Whether what is not allowed can be neither seen nor used. */
  readonly isEnforced: boolean
  /** Whether each image is allowed; nothing is said where nobody asks for criteria to be met. */
  readonly judge: (images: readonly Image[]) => Promise<ReadonlyMap<Id<'image'>, boolean>>
  /** Those of the images that may be seen and used. */
  readonly usable: (images: readonly Image[]) => Promise<readonly Image[]>
}

/** Everything is allowed as long as the account has not said otherwise. */
export async function readAllowance(
  db: Database,
  query: { readonly accountId: string; readonly region: string; readonly now: Date },
  known?: readonly Account[],
): Promise<Allowance> {
  const { accountId, now } = query
  const { allowedState, criteria } = await readImageSettings(db, query)
  if (allowedState === 'disabled') {
    return { isEnforced: false, judge: async () => new Map(), usable: async (images) => images }
  }
  const isEnforced = allowedState === 'enabled'
  const judge = judgeBy(db, { accountId, now, criteria }, known)
  return {
    isEnforced,
    judge,
    async usable(images) {
      if (!isEnforced) return images
      const verdicts = await judge(images)
      return images.filter(({ id }) => verdicts.get(id))
    },
  }
}

/** Judges images by criteria. One of the account's own meets them all. */
export function judgeBy(
  db: Database,
  query: {
    readonly accountId: string
    readonly now: Date
    readonly criteria: readonly Criterion[]
  },
  known?: readonly Account[],
): Allowance['judge'] {
  const { accountId, now, criteria } = query
  const looksAtWatermarks = criteria.some(({ ImageWatermarks }) => ImageWatermarks)
  const looksAtScans = criteria.some(({ ScanResultCondition }) => ScanResultCondition)
  return async (images) => {
    const providers = known ?? (await listProviders(db))
    const aliases = new Map(providers.map(({ id, alias }) => [id, alias]))
    const others = images.filter((image) => image.accountId !== accountId)
    const ids = looksAtWatermarks ? others.map(({ id }) => id) : []
    const watermarks = await listWatermarks(db, ids)
    const scans = await resultsOf(db, looksAtScans ? others : [])
    const meets = (image: Image) =>
      meetsCriteria(
        criteria,
        {
          image,
          ownerAlias: aliases.get(image.accountId),
          watermarks: watermarks.get(image.id) ?? [],
          scan: scans.get(image.id),
        },
        now,
      )
    return new Map(images.map((image) => [image.id, image.accountId === accountId || meets(image)]))
  }
}
