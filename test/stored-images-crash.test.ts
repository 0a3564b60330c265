/**
 * The service is killed somewhere while it stores an image and restores it, and is
 * started again: then the one object is there, and the one image, or neither is.
 * `SEED=` repeats a run; `CRASHES=` says how many.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import {
  CreateRestoreImageTaskCommand,
  CreateStoreImageTaskCommand,
  DescribeImagesCommand,
  DescribeStoreImageTasksCommand,
} from '@aws-sdk/client-ec2'
import { KillableServer } from './killable-server.ts'
import { chooseSeed, randomOf } from './random.ts'
import { accountId, region } from './system.ts'

const crashes = Number(process.env['CRASHES'] ?? 3)
const Bucket = 'images'

test('an image that is stored and restored survives the death of the service', async (context) => {
  const random = randomOf(chooseSeed())
  context.diagnostic(`SEED=${random.seed}`)
  const server = await KillableServer.make(context)
  await server.start()
  const folder = join(server.dataFolder, 'buckets', accountId, region, Bucket)
  await mkdir(folder, { recursive: true })
  const source = `${server.dataFolder}/disk.raw`
  await writeFile(source, randomBytes(5 << 20))
  const body = { source, name: 'web', bootMode: 'uefi' }
  const { importId } = await server.imago('POST', '/imago/v1/imports', body)
  const ImageId = await until(async () => {
    const found = await server.imago('GET', `/imago/v1/imports/${String(importId)}`)
    return found['state'] === 'completed' && String(found['imageId'])
  })
  await rm(source)
  const manifestOf = async (Name: string) => {
    const found = await until(async () => {
      const [image] = await images(Name)
      return image?.State !== 'pending' && image
    })
    assert.equal(found.State, 'available', found.StateReason?.Message ?? '')
    const id = found.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? ''
    return (await server.imago('GET', `/imago/v1/snapshots/${id}`))['manifest']
  }
  const images = async (name: string) => {
    const Filters = [{ Name: 'name', Values: [name] }]
    return (await server.ec2.send(new DescribeImagesCommand({ Filters }))).Images ?? []
  }
  const stored = async () => {
    await until(async () => {
      const Filters = [{ Name: 'task-state', Values: ['InProgress'] }]
      const sent = await server.ec2.send(new DescribeStoreImageTasksCommand({ Filters }))
      return sent.StoreImageTaskResults?.length === 0
    })
    return await readdir(folder)
  }
  const ObjectKey = `${ImageId}.bin`
  const store = () => server.ec2.send(new CreateStoreImageTaskCommand({ ImageId, Bucket }))
  const restore = (Name: string) =>
    server.ec2.send(new CreateRestoreImageTaskCommand({ Bucket, ObjectKey, Name }))
  const both = async (name: string) => {
    await store()
    await stored()
    await restore(name)
    await manifestOf(name)
  }

  const before = await manifestOf('web')
  await server.countPoints()
  await both('undisturbed')
  const points = [...(await server.countPoints()).values()].reduce((sum, count) => sum + count, 0)
  for (let crash = 0; crash < crashes; crash++) {
    const name = `crash ${crash}`
    const nth = 1 + random.below(points)
    context.diagnostic(`killed at ${nth} of ${points}`)
    await rm(join(folder, ObjectKey))
    server.dieAt({ nth })
    await both(name).catch((error: unknown) => {
      if (server.isUp && !isGone(error)) throw error
    })
    await server.kill()
    assert(await server.start(), await server.complaints())
    if ((await stored()).length === 0) await store()
    assert.deepEqual(await stored(), [ObjectKey])
    if ((await images(name)).length === 0) await restore(name)
    assert.equal(await manifestOf(name), before)
    assert.equal((await images(name)).length, 1)
    assert.deepEqual(await server.check(), [])
  }
})

/** It is gone before we hear that it has exited. */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ECONN')
}

async function until<T>(is: () => Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 1200; tries++) {
    const found = await is()
    if (found !== undefined && found !== false) return found
    await wait(50)
  }
  throw new Error('it did not come')
}
