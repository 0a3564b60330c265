/**
 * `npm run bench [NAME…]`: measures the product side by side with what one would
 * use instead, in one run on one disk. Figures are for people to look at; no
 * figure is a test. See README.md here.
 */
import { arch, availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { benchApi } from './api.ts'
import { benchBake } from './bake.ts'
import { benchCopy } from './copy.ts'
import { benchEbs } from './ebs.ts'
import { benchEncryption } from './encryption.ts'
import { benchFrontDoor } from './front-door.ts'
import { benchIam } from './iam.ts'
import { benchGarbage } from './garbage.ts'
import { benchImages } from './images.ts'
import { benchLaunch } from './launch.ts'
import { benchMemory } from './memory.ts'
import { benchSnapshots } from './snapshots.ts'

const benches = {
  bake: benchBake,
  launch: benchLaunch,
  copy: benchCopy,
  ebs: benchEbs,
  snapshots: benchSnapshots,
  encryption: benchEncryption,
  api: benchApi,
  'front-door': benchFrontDoor,
  iam: benchIam,
  images: benchImages,
  garbage: benchGarbage,
  memory: benchMemory,
}

const asked = process.argv.slice(2)
const names = Object.keys(benches) as (keyof typeof benches)[]
const unknown = asked.filter((name) => !names.some((known) => known === name))
if (unknown.length > 0) {
  console.error(`No such bench: ${unknown.join(', ')}. There are: ${names.join(', ')}`)
  process.exit(2)
}

const memoryGiB = (totalmem() / 2 ** 30).toFixed(0)
console.log(
  `${availableParallelism()} processors (${cpus()[0]?.model ?? arch()}), ${memoryGiB} GiB, ` +
    `Linux ${release()}, Node ${process.version}; load before the run ${loadavg()[0]?.toFixed(1)}\n`,
)
for (const name of names) {
  if (asked.length === 0 || asked.includes(name)) await benches[name]()
}
