import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { callImago } from '../../src/cli/imago-client.ts'
import { findImport } from '../../src/imports/store.ts'
import { region } from '../system.ts'
import { runProgram } from './guest.ts'
import { starterDisk } from './starter-disks.ts'
import { eventually, startWorld } from './world.ts'

const formats: readonly (readonly [format: string, ...options: string[]])[] = [
  ['raw'],
  ['qcow2', '-c'],
  ['vmdk', '-o', 'subformat=streamOptimized'],
  ['vpc', '-o', 'subformat=dynamic,force_size=on'],
  ['vhdx', '-o', 'subformat=dynamic'],
]

test('a disk is the same in whatever format it is imported, and boots', async (context) => {
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
  let imageId: unknown
  for (const { format, importId } of begun) {
    const done = await eventually(`the import of ${format}`, async () => {
      const answer = await callImago(access, 'GET', `/imago/v1/imports/${importId}`)
      assert.notEqual(answer['state'], 'error', String(answer['message']))
      return answer['state'] === 'completed' && answer
    })
    manifests.set(format, (await findImport(system.db.reads, importId))?.manifest)
    if (format === 'vhdx') imageId = done['imageId']
  }
  const raw = manifests.get('raw')
  assert(raw)
  assert.deepEqual(
    [...manifests],
    formats.map(([format]) => [format, raw]),
  )

  const guest = await world.launch({ ImageId: String(imageId) })
  await guest.ready()
  assert.match(await guest.run('cat /etc/os-release'), /^ID=/m)
})
