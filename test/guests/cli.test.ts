/** The commands for people that need a guest, on a service that bakes its own starter image. */
import assert from 'node:assert/strict'
import { mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type CommandLine, commandLine, type RunOptions } from '../command.ts'

test('a person serves, launches, logs in, watches the console, imports a disk and checks it all', async (context) => {
  const imago = await commandLine(context)
  const service = imago.serve()
  await service.hasSaid(/Imago listens on/)
  assert.match(service.said(), /starter image +ami-/)
  const aws = async (...args: readonly string[]) =>
    await good(imago, ['aws', 'ec2', ...args, '--output', 'text'])

  const key = await aws('create-key-pair', '--key-name', 'me', '--query', 'KeyMaterial')
  await mkdir(join(imago.dataFolder, 'keys'))
  await writeFile(join(imago.dataFolder, 'keys', 'me.pem'), `${key}\n`, { mode: 0o600 })
  const rule = ['--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0']
  await aws('authorize-security-group-ingress', '--group-name', 'default', ...rule)
  const images = await aws('describe-images', '--owners', 'amazon', '--query', 'Images[].ImageId')
  const launched = await aws(
    'run-instances',
    ...Object.entries({
      '--image-id': images,
      '--instance-type': 't3.nano',
      '--key-name': 'me',
      '--tag-specifications': 'ResourceType=instance,Tags=[{Key=Name,Value=web}]',
      '--query': 'Instances[].InstanceId',
    }).flat(),
  )

  assert.equal(await good(imago, ['ssh', 'web', '--', 'id', '-un']), 'root')
  assert.equal((await imago.run(['ssh', 'web', 'exit 7'])).code, 7)
  assert.match(await good(imago, ['ssh', launched, 'cat'], { input: 'through' }), /^through$/)
  const shown = await imago.run(['console', 'web'], { until: /is up: i-/ })
  assert.match(shown.output, new RegExp(`is up: ${launched}`))
  assert.equal(shown.code, 0)
  assert.match((await imago.run(['ssh', 'nobody'])).errors, /No instance has this id or name/)

  await using disk = await open(join(imago.dataFolder, 'disk.raw'), 'w')
  await disk.truncate(8 * 2 ** 20)
  assert.match(await good(imago, ['import', 'disk.raw', '--name', 'blank']), /^ami-[0-9a-f]{17}$/)
  const absent = await imago.run(['import', 'absent.raw', '--name', 'absent'])
  assert.equal(absent.code, 1)
  assert.match(absent.errors, /Cannot read the file/)

  assert.match(await good(imago, ['fsck']), /^All is well/)
  assert.equal(await service.stop(), 0)
  assert.equal(
    await good(imago, ['console', launched], { until: /is up/ }).then(() => 'shown'),
    'shown',
  )
})

test('the demonstration tells the whole story, and leaves nothing', async (context) => {
  const imago = await commandLine(context)
  const story = await good(imago, ['demo'])
  assert.match(story, /says: baked once, launched thrice\n.*\n.*says: baked once, launched thrice/)
  assert.match(story, /all 3 started from sha256:[0-9a-f]{64}/)
  assert.match(story, /That was all, in \d+ s/)
  const folder = /remove (\S+)/.exec(story)?.[1] ?? ''
  assert(folder.startsWith(tmpdir()))
  await assert.rejects(readdir(folder), { code: 'ENOENT' })
})

test('a demonstration that is interrupted leaves nothing either', async (context) => {
  const imago = await commandLine(context)
  const before = await demoFolders()
  const { code } = await imago.run(['demo'], { until: /s {2}fetching packages/ })
  assert.equal(code, 130)
  assert.deepEqual(await demoFolders(), before)
})

async function demoFolders(): Promise<readonly string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('imago-demo-')).toSorted()
}

async function good(
  imago: CommandLine,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, output, errors } = await imago.run(args, options)
  assert.equal(code, 0, `imago ${args.join(' ')}: ${errors}${output}`)
  return output.trim()
}
