import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { RebootInstancesCommand, RegisterImageCommand } from '@aws-sdk/client-ec2'
import { listBundleDisks } from '../../src/bundles/store.ts'
import { callImago } from '../../src/cli/imago-client.ts'
import { findImport } from '../../src/imports/store.ts'
import { putBundle } from '../put-bundle.ts'
import { region } from '../system.ts'
import { runProgram } from './guest.ts'
import { starterDisk } from './starter-disks.ts'
import { describeInstance, eventually, startWorld } from './world.ts'

const formats: readonly (readonly [format: string, ...options: string[]])[] = [
  ['raw'],
  ['qcow2', '-c'],
  ['vmdk', '-o', 'subformat=streamOptimized'],
  ['vpc', '-o', 'subformat=dynamic,force_size=on'],
  ['vhdx', '-o', 'subformat=dynamic'],
]

test('a disk is the same in whatever format it is imported or bundled, and boots from the host', async (context) => {
  const world = await startWorld(context)
  const { system } = world
  const disk = await starterDisk('tiny')
  const access = { endpoint: system.endpoint, region, key: system.imago.rootKey }
  const begun: { readonly format: string; readonly importId: string }[] = []
  for (const [format, ...options] of formats) {
    const source = join(system.dataFolder, `disk.${format}`)
    const args = ['convert', '-f', 'raw', '-O', format, ...options, disk, source]
    const { code, stderr } = await runProgram('qemu-img', args)
    assert.equal(code, 0, stderr)
    const answer = await callImago(access, 'POST', '/imago/v1/imports', { source, name: format })
    begun.push({ format, importId: String(answer['importId']) })
  }
  const manifests = new Map<string, string | undefined>()
  for (const { format, importId } of begun) {
    await eventually(`the import of ${format}`, async () => {
      const answer = await callImago(access, 'GET', `/imago/v1/imports/${importId}`)
      assert.notEqual(answer['state'], 'error', String(answer['message']))
      return answer['state'] === 'completed' && answer
    })
    manifests.set(format, (await findImport(system.db.reads, importId))?.manifest)
  }
  const raw = manifests.get('raw')
  assert(raw)
  assert.deepEqual(
    [...manifests],
    formats.map(([format]) => [format, raw]),
  )

  const { location } = await putBundle(system.dataFolder, disk, 'tiny')
  const { ImageId = '' } = await world.ec2.send(
    new RegisterImageCommand({
      Name: 'bundled',
      ImageLocation: location,
      VirtualizationType: 'hvm',
      BootMode: 'legacy-bios',
    }),
  )
  await world.untilImage(ImageId)
  assert.deepEqual([...(await listBundleDisks(system.db.reads)).values()], [raw])

  const guest = await world.launch({ ImageId })
  await guest.ready()
  assert.match(await guest.run('cat /etc/os-release'), /^ID=/m)
  const path = 'http://169.254.169.254/latest/meta-data/ami-manifest-path'
  assert.equal(await guest.run(`wget -q -O - ${path}`), location)
  const instance = await describeInstance(world.ec2, guest.id)
  assert.deepEqual(instance.BlockDeviceMappings ?? [], [])

  // The root outlives a reboot, and nothing else.
  const bootId = 'cat /proc/sys/kernel/random/boot_id'
  await guest.run('echo kept >/root/kept')
  const before = await guest.run(bootId)
  await world.ec2.send(new RebootInstancesCommand({ InstanceIds: [guest.id] }))
  await eventually('another boot', async () => {
    const { code, stdout } = await guest.try(bootId)
    return code === 0 && stdout.trim() !== before
  })
  assert.equal(await guest.run('cat /root/kept'), 'kept')
  const root = join(system.dataFolder, 'instance-disks', guest.id)
  assert(existsSync(root))
  await guest.run('poweroff')
  const over = await world.untilState(guest.id, 'terminated')
  assert.equal(over.StateReason?.Code, 'Client.InstanceInitiatedShutdown')
  assert(!existsSync(root))
})
