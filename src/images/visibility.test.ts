/** Who sees which image: the queries against a predicate that was written without them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { databases } from '../../test/databases.ts'
import { transaction } from '../db/database.ts'
import type { Image, ImageState } from './image.ts'
import { type LaunchPermission, permissionsOf, type Viewer } from './launch-permission.ts'
import { setDeprecation } from './life-store.ts'
import { addLaunchPermissions } from './permission-store.ts'
import { changeImageState, findImages, type ImageQuery, insertImage, listImages } from './store.ts'
import { anImage } from './testing.ts'

const accounts = ['111111111111', '222222222222', '333333333333']
const organization = 'arn:aws:organizations::111111111111:organization/o-aaaaaaaaaa'
const units = ['ou-aaaa-11111111', 'ou-aaaa-22222222'].map(
  (id) => `arn:aws:organizations::111111111111:ou/o-aaaaaaaaaa/${id}`,
)
const now = new Date(1_000_000)

const account = fc.constantFrom(...accounts)
const permission: fc.Arbitrary<LaunchPermission> = fc.oneof(
  account.map((grantee) => ({ kind: 'user' as const, grantee })),
  fc.constant({ kind: 'group' as const, grantee: 'all' }),
  fc.constant({ kind: 'organization' as const, grantee: organization }),
  fc.constantFrom(...units).map((grantee) => ({ kind: 'organizational-unit' as const, grantee })),
)
const states = ['pending', 'available', 'failed', 'disabled', 'recycled', 'deregistered'] as const
const life = fc.record({
  accountId: account,
  state: fc.oneof(
    { weight: 4, arbitrary: fc.constant<ImageState>('available') },
    fc.constantFrom(...states),
  ),
  permissions: fc.array(permission, { maxLength: 3 }),
  deprecatesAt: fc.option(fc.constantFrom(new Date(999_999), now, new Date(1_000_001)), {
    nil: undefined,
  }),
})
const viewer: fc.Arbitrary<Viewer> = fc
  .tuple(account, fc.boolean(), fc.subarray(units))
  .map(([accountId, isMember, unitArns]) =>
    isMember ? { accountId, organizationArn: organization, unitArns } : { accountId },
  )
const wishes = fc.record(
  {
    ownerIds: fc.subarray(accounts, { minLength: 1 }),
    isPublic: fc.constant(true),
    sharedWith: fc.array(permission, { maxLength: 2 }),
    notDeprecatedAt: fc.constant(now),
    withoutDisabled: fc.constant(true),
  },
  { requiredKeys: [] },
)

interface Facts {
  readonly image: Image
  readonly permissions: readonly LaunchPermission[]
}

function isSeen({ image, permissions }: Facts, query: Omit<ImageQuery, 'region'>): boolean {
  const { viewer: who, ownerIds, isPublic, sharedWith } = query
  const has = (kind: LaunchPermission['kind'], grantee: string) =>
    permissions.some((one) => one.kind === kind && one.grantee === grantee)
  const isOwn = image.accountId === who.accountId
  const isForAll = has('group', 'all')
  const isGiven =
    has('user', who.accountId) ||
    (who.organizationArn !== undefined && has('organization', who.organizationArn)) ||
    (who.unitArns ?? []).some((arn) => has('organizational-unit', arn))
  if (!isOwn && !isForAll && !isGiven) return false
  if (image.state === 'deregistered' || image.state === 'recycled') return false
  if (query.withoutDisabled && image.state === 'disabled') return false
  const isDeprecated = image.deprecatesAt !== undefined && image.deprecatesAt <= now
  if (query.notDeprecatedAt && isDeprecated && !isOwn) return false
  if (ownerIds && !ownerIds.includes(image.accountId)) return false
  if (!isPublic && !sharedWith) return true
  const mine = permissionsOf(who)
  const isMine = ({ kind, grantee }: LaunchPermission) =>
    mine.some((one) => one.kind === kind && one.grantee === grantee)
  // With whom else an image is shared, only its owner finds out.
  const isGivenTo = (sharedWith ?? []).some(
    (one) => has(one.kind, one.grantee) && (isOwn || isMine(one)),
  )
  return (isPublic && isForAll) || isGivenTo
}

for (const [name, start] of Object.entries(databases)) {
  describe(`who sees which image, on ${name}`, () => {
    test('is what ownership, permissions, states and deprecation say', async (context) => {
      const { writes: db } = await start(context)
      let made = 0
      await fc.assert(
        fc.asyncProperty(
          fc.array(life, { maxLength: 10 }),
          viewer,
          wishes,
          fc.boolean(),
          async (lives, who, wish, isById) => {
            const region = `region-${made}`
            const all: Facts[] = []
            await transaction(db, async (tx) => {
              for (const { accountId, state, permissions, deprecatesAt } of lives) {
                const { id, ...rest } = anImage((made += 1), { accountId, region })
                await insertImage(tx, { id, ...rest })
                await addLaunchPermissions(tx, id, permissions)
                if (deprecatesAt) {
                  const isPublic = permissions.some(({ kind }) => kind === 'group')
                  await setDeprecation(tx, { id, isPublic }, deprecatesAt)
                }
                await changeImageState(tx, { id, from: ['available'], to: state, at: now })
                const [image] = await findImages(tx, [id])
                assert(image)
                all.push({ image, permissions })
              }
            })
            made += 1
            const ids = isById ? { ids: all.map(({ image }) => image.id) } : {}
            const query = { viewer: who, ...wish, ...ids }
            const seen = await listImages(db, { ...query, region })
            assert.deepEqual(
              seen,
              all.filter((one) => isSeen(one, query)).map(({ image }) => image),
            )
          },
        ),
        { numRuns: 60 },
      )
    })
  })
}
