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
import { lastFirst } from '../../test/last-first.ts'
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

/** What seldom comes about by chance: steps of the third account and its newest image, or the one before. */
const steps = (...list: readonly (readonly [Step['do'], number, boolean?])[]): Step[] =>
  list.map(([kind, number, is = true]) => ({
    do: kind,
    number,
    is,
    who: accounts[2],
    where: regions[0],
    grantee: accounts[1],
    isOwner: true,
  }))
const lives: readonly Step[][] = [
  // Marked, made another of, binned with its tags, and gone.
  steps(
    ['mark', 0],
    ['bake', 0],
    ['rule', 0],
    ['tag', 1],
    ['deregister', 1],
    ['delete disk', 1],
  ).concat(steps(['wait', 0], ['tag', 1], ['delete disk', 1], ['copy', 0])),
  // Made of a disk that could not be read, and tried once more.
  steps(['bake', 0, false], ['register again', 0]),
  // Binned, and its name taken meanwhile.
  steps(['share', 0], ['rule', 0], ['deregister', 0], ['register', 2], ['restore', 1]).concat(
    steps(['deregister', 0, false], ['restore', 1], ['disable', 1], ['enable', 1]),
  ),
]

/** All uses of all images are looked at so often, and in the end. */
const stepsPerLook = 15

test('in whatever order images are shared, copied, binned and brought back, the rules hold', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stepOf, { minLength: 30, maxLength: 60, size: 'max' }),
      async (steps) => {
        const opened = lastFirst()
        const world = await startWorld(opened)
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
          await opened.end()
        }
      },
    ),
    { numRuns: runsOf(8), examples: lives.map((life) => [life] as [Step[]]) },
  )
})
