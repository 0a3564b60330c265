/** Kinds of images: what runs on their disk, and what the machines made of them have. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { CopyImageCommand, DescribeImagesCommand } from '@aws-sdk/client-ec2'
import { callImago } from '../src/cli/imago-client.ts'
import { registerBlank } from './blank-image.ts'
import { region, startSystem } from './system.ts'

/** A boot record with one partition, in which a file system of Windows begins. */
function windowsDisk(): Buffer {
  const bytes = Buffer.alloc(1 << 20)
  bytes.writeUInt16LE(0xaa55, 510)
  bytes[446 + 4] = 0x07
  bytes.writeUInt32LE(1500, 446 + 8)
  bytes.write('NTFS    ', 1500 * 512 + 3, 'latin1')
  return bytes
}

test('a disk of Windows becomes an image of Windows, and so do those made of it', async (context) => {
  const system = await startSystem(context)
  const { ec2, endpoint } = system
  const source = join(system.dataFolder, 'windows.raw')
  await writeFile(source, windowsDisk())
  const access = { endpoint, region, key: system.imago.rootKey }
  const { importId } = await callImago(access, 'POST', '/imago/v1/imports', {
    source,
    name: 'imported',
  })
  const imported = await system.until('the import', async () => {
    const found = await callImago(access, 'GET', `/imago/v1/imports/${String(importId)}`)
    assert.notEqual(found['state'], 'error', String(found['message']))
    return found['state'] === 'completed' && String(found['imageId'])
  })
  const describe = async (id: string, client = ec2) =>
    (await client.send(new DescribeImagesCommand({ ImageIds: [id] }))).Images?.[0]
  const snapshotId = (await describe(imported))?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? ''
  const registered = await registerBlank(system, snapshotId, { Name: 'registered' })
  const west = system.clientWith({ region: 'us-west-2' })
  const { ImageId: copied = '' } = await west.send(
    new CopyImageCommand({ SourceRegion: region, SourceImageId: imported, Name: 'copied' }),
  )
  for (const [id, client] of [
    [imported, ec2],
    [registered, ec2],
    [copied, west],
  ] as const) {
    const image = await describe(id, client)
    assert.deepEqual(
      [image?.Platform, image?.PlatformDetails, image?.UsageOperation],
      ['windows', 'Windows', 'RunInstances:0002'],
    )
  }
  const Filters = [{ Name: 'platform', Values: ['windows'] }]
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Filters }))
  assert.deepEqual(new Set(Images.map(({ ImageId }) => ImageId)), new Set([imported, registered]))
})
