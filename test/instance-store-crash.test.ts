/**
 * The service is killed somewhere while it reads a bundle, launches of it and ends what
 * it launched, and is started again: each image is there or was not asked for, and no
 * disk is without its instance. `SEED=` repeats a run; `CRASHES=` says how many.
 */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  RegisterImageCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { writeBareDisk } from './bare-disk.ts'
import { endAll, KillableServer } from './killable-server.ts'
import { putBundle } from './put-bundle.ts'
import { chooseSeed, randomOf } from './random.ts'

const crashes = Number(process.env['CRASHES'] ?? 2)

test('an image of a bundle and its instances survive the death of the service', async (context) => {
  const random = randomOf(chooseSeed())
  context.diagnostic(`SEED=${random.seed}`)
  const server = await KillableServer.make(context)
  context.after(() => endAll(server.dataFolder))
  await server.start()
  const disk = join(server.dataFolder, 'bare.raw')
  await writeBareDisk(disk, 'bare')
  const { location: ImageLocation } = await putBundle(server.dataFolder, disk, 'bare')

  const imagesOf = async (name: string) => {
    const Filters = [{ Name: 'name', Values: [name] }]
    return (await server.ec2.send(new DescribeImagesCommand({ Filters }))).Images ?? []
  }
  const instancesOf = async (name: string) => {
    const Filters = [{ Name: 'client-token', Values: [name] }]
    const { Reservations = [] } = await server.ec2.send(new DescribeInstancesCommand({ Filters }))
    return Reservations.flatMap(({ Instances = [] }) => Instances)
  }
  const register = (Name: string) =>
    server.ec2.send(
      new RegisterImageCommand({
        Name,
        ImageLocation,
        VirtualizationType: 'hvm',
        EnaSupport: true,
      }),
    )
  const settledImage = (name: string) =>
    server.until('the image', async () => {
      const [image] = await imagesOf(name)
      return image?.State !== 'pending' && image
    })
  const run = (name: string, ImageId: string) =>
    server.ec2.send(
      new RunInstancesCommand({
        ImageId,
        ClientToken: name,
        InstanceType: 't3.nano',
        MinCount: 1,
        MaxCount: 1,
      }),
    )
  const settledInstance = (name: string) =>
    server.until('the instance', async () => {
      const [instance] = await instancesOf(name)
      const state = instance?.State?.Name
      return state !== 'pending' && state !== 'shutting-down' && instance
    })
  const end = (id: string) => server.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }))

  /** The whole story, from wherever it was broken off. */
  const tell = async (name: string) => {
    if ((await imagesOf(name)).length === 0) await register(name)
    const image = await settledImage(name)
    assert.equal(image.State, 'available', image.StateReason?.Message ?? '')
    await run(name, image.ImageId ?? '')
    const instance = await settledInstance(name)
    const state = instance.State?.Name
    assert(state === 'running' || state === 'terminated', String(state))
    await end(instance.InstanceId ?? '')
    await settledInstance(name)
  }
  await server.countPoints()
  await tell('undisturbed')
  const points = [...(await server.countPoints()).values()].reduce((sum, count) => sum + count, 0)
  for (let crash = 0; crash < crashes; crash++) {
    const name = `crash-${crash}`
    const nth = 1 + random.below(points)
    context.diagnostic(`killed at ${nth} of ${points}`)
    server.dieAt({ nth })
    await tell(name).catch((error: unknown) => {
      if (server.isUp && !isGone(error)) throw error
    })
    await server.kill()
    assert(await server.start(), await server.complaints())
    await tell(name)
    assert.equal((await imagesOf(name)).length, 1)
    assert.equal((await instancesOf(name)).length, 1)
    const roots = join(server.dataFolder, 'instance-disks')
    assert.deepEqual(await readdir(roots).catch(() => []), [])
    const { ImageId } = await settledImage(name)
    await server.ec2.send(new DeregisterImageCommand({ ImageId }))
    assert.deepEqual(await server.check(), [])
  }
})

/** It is gone before we hear that it has exited. */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ECONN')
}
