/**
 * Random lives of images, by calls of three accounts in two Regions, beside a model of
 * what the contract says: shares with accounts, organizations and units that people
 * move between, copies and images of instances, block public access, Allowed AMIs,
 * watermarks, deprecation, disabling, protection, the Recycle Bin and its end. Everybody
 * sees, launches and copies what the model says, and nothing of what is gone lingers.
 */
import { test } from 'node:test'
import fc from 'fast-check'
import { checkBlocks, checkLists, checkRemains, checkUses } from '../../test/image-lives/checks.ts'
import { run, type Step, stepOf } from '../../test/image-lives/steps.ts'
import { accounts, regions, startWorld } from '../../test/image-lives/world.ts'
import { runsOf } from '../../test/random.ts'

/** There is something to share from the first step on. */
const beginning: readonly Step[] = accounts.map((who, number) => ({
  do: 'register',
  who,
  where: regions[number === 1 ? 1 : 0],
  number,
  grantee: 'all',
  isOwner: true,
  is: true,
}))

/** All uses of all images are looked at so often, and in the end. */
const stepsPerLook = 15

test('in whatever order images are shared, copied, binned and brought back, the rules hold', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stepOf, { minLength: 30, maxLength: 60, size: 'max' }),
      async (steps) => {
        const ends: (() => unknown)[] = []
        const world = await startWorld({ after: (end) => void ends.push(end as () => unknown) })
        try {
          for (const [number, step] of [...beginning, ...steps].entries()) {
            await run(world, step)
            const isLook = number % stepsPerLook === 0
            await checkLists(world, isLook)
            await checkRemains(world)
            if (isLook) await checkUses(world)
          }
          await checkUses(world)
          await checkBlocks(world)
        } finally {
          for (const end of ends) await end()
        }
      },
    ),
    { numRuns: runsOf(8) },
  )
})
