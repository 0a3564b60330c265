import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { BoundedDisk, DiskRefused } from './bounded-disk.ts'
import { Ext } from './ext.ts'
import { journalMagic } from './ext-journal.ts'
import { findRoot } from './find-root.ts'
import { debugfs, type MadeDisk, makeDisk, type Tree } from '../../test/made-disk.ts'

const bytesMax = 8 * 2 ** 20
const paths = ['/etc/os-release', '/usr/lib/os-release']

async function openExt(disk: Pick<MadeDisk, 'read'>, startBytes = 0): Promise<Ext> {
  const ext = await Ext.open(new BoundedDisk(disk), startBytes)
  assert(ext)
  return ext
}

const diskOf = (bytes: Buffer): Pick<MadeDisk, 'read'> => ({
  async read(buffer, offset, length, position) {
    buffer.fill(0, offset, offset + length)
    bytes.copy(buffer, offset, Math.min(position, bytes.length), position + length)
  },
})

const many = Object.fromEntries(
  Array.from({ length: 250 }, (_, number) => [`many/a-file-of-some-name-${number}`, `${number}`]),
)
const content: Tree = {
  'etc/empty': '',
  'etc/small': 'small',
  'etc/inline': 'x'.repeat(55),
  'var/long': randomBytes(700_000),
  'var/holes': Buffer.concat([Buffer.alloc(600_000), randomBytes(5000), Buffer.alloc(9000)]),
  ...many,
}
const kinds: readonly (readonly [string, readonly string[]])[] = [
  ['ext2', ['-b', '1024']],
  ['ext3', ['-b', '4096']],
  ['ext4', ['-b', '1024']],
  ['ext4', ['-b', '4096', '-O', '64bit,metadata_csum,^resize_inode']],
  ['ext4', ['-b', '1024', '-O', '^resize_inode,meta_bg', '-g', '256']],
]

for (const [type, options] of kinds) {
  test(`what a file system has is read (${type} ${options.join(' ')})`, async (context) => {
    const disk = await makeDisk(context, content, { type, options, sizeKiB: 8192 })
    const ext = await openExt(disk)
    for (const [path, what] of Object.entries(content)) {
      if (path.startsWith('many/') && !path.endsWith('7')) continue
      const read = await ext.readFile(`/${path}`, bytesMax)
      assert(read?.equals(Buffer.from(what as string)), path)
    }
    const names = Object.keys(many).map((name) => name.slice('many/'.length))
    assert.deepEqual(await ext.listFolder('/many'), names.toSorted())
    assert.equal(await ext.readFile('/etc/nothing', bytesMax), undefined)
    assert.equal(await ext.readFile('/etc/small/more', bytesMax), undefined)
    assert.equal(await ext.readFile('/etc', bytesMax), undefined)
    assert.deepEqual(await ext.listFolder('/etc/small'), [])
  })
}

test('links lead through the file system, and never out of it', async (context) => {
  const long = `${'./'.repeat(40)}small`
  const ext = await openExt(
    await makeDisk(context, {
      'etc/small': 'small',
      'etc/near': { link: 'small' },
      'etc/long': { link: long },
      'etc/rooted': { link: '/etc/../etc/near' },
      'etc/above': { link: '../../../../../../etc/small' },
      folder: { link: 'etc' },
      'etc/one': { link: 'two' },
      'etc/two': { link: 'one' },
      'etc/self': { link: '/etc/self/x' },
      'etc/passwd': { link: '/proc/self/environ' },
    }),
  )
  for (const path of ['/etc/near', '/etc/long', '/etc/rooted', '/etc/above', '/folder/rooted']) {
    assert.equal((await ext.readFile(path, bytesMax))?.toString(), 'small', path)
  }
  await assert.rejects(ext.readFile('/etc/one', bytesMax), DiskRefused)
  await assert.rejects(ext.readFile('/etc/self', bytesMax), DiskRefused)
  assert.equal(await ext.readFile('/etc/passwd', bytesMax), undefined)
})

test('a file that says it is huge is refused before it is read', async (context) => {
  const disk = await makeDisk(context, { status: 'x' }, { sizeKiB: 2048 })
  await debugfs(disk.path, ['sif status size 10737418240'])
  const ext = await openExt(disk)
  await assert.rejects(ext.readFile('/status', bytesMax), /status in it is over 8388608 bytes long/)
})

test('what is newer in the journal is what is read, but for what was revoked', async (context) => {
  const tree = { one: 'one before', two: 'two before', three: 'three before' }
  const options = ['-b', '1024', '-J', 'size=1']
  const disk = await makeDisk(context, tree, { options, sizeKiB: 4096 })
  const blocks = async (name: string, ...contents: readonly (string | Buffer)[]) => {
    const path = join(disk.path, '..', name)
    const written = contents.map((one) => Buffer.concat([Buffer.from(one), Buffer.alloc(1024)]))
    await writeFile(path, Buffer.concat(written.map((one) => one.subarray(0, 1024))))
    return path
  }
  const place = async (name: string) =>
    /^(\d+)/m.exec(
      (await debugfs(disk.path, [`blocks ${name}`])).split('\n').slice(1).join('\n'),
    )?.[1]
  const [one, two, three] = [await place('one'), await place('two'), await place('three')]
  const escaped = Buffer.alloc(12, 'e')
  escaped.writeUInt32BE(journalMagic)
  await debugfs(disk.path, [
    'journal_open',
    `journal_write -b ${one},${two} ${await blocks('old', 'one OLDER!', 'two REVOKED')}`,
    `journal_write -b ${one},${three} ${await blocks('new', 'one NEWER!', escaped)}`,
    `journal_write -r ${two}`,
    'journal_close',
  ])
  const ext = await openExt(disk)
  const read = async (path: string) => await ext.readFile(path, bytesMax)
  assert.equal((await read('/one'))?.toString(), 'one NEWER!')
  assert.equal((await read('/two'))?.toString(), 'two before')
  assert.deepEqual(await read('/three'), escaped)
})

test('the system is found on the partition that it is on', async (context) => {
  const data = await readFile((await makeDisk(context, { 'srv/data': 'x' })).path)
  const system = await readFile(
    (
      await makeDisk(context, {
        'usr/lib/os-release': 'ID=debian',
        'etc/os-release': { link: '../usr/lib/os-release' },
      })
    ).path,
  )
  const mebibyte = 2 ** 20
  const bytes = Buffer.alloc(16 * mebibyte)
  bytes.writeUInt16LE(0xaa55, 510)
  for (const [index, startMiB] of [1, 6].entries()) {
    bytes[446 + 16 * index + 4] = 0x83
    bytes.writeUInt32LE((startMiB * mebibyte) / 512, 446 + 16 * index + 8)
  }
  data.copy(bytes, mebibyte)
  system.copy(bytes, 6 * mebibyte)
  const root = await findRoot(new BoundedDisk(diskOf(bytes)), paths)
  assert.equal((await root.readFile('/etc/os-release', 100))?.toString(), 'ID=debian')
  bytes.fill(0, 6 * mebibyte)
  bytes.write('XFSB', 6 * mebibyte)
  const refused = findRoot(new BoundedDisk(diskOf(bytes)), paths)
  await assert.rejects(refused, /no operating system was found .* there is XFS/)
  const blank = findRoot(new BoundedDisk(diskOf(Buffer.alloc(0))), paths)
  await assert.rejects(blank, /no operating system was found on it$/)
})

/** Everything that a scan would read of it. */
async function readAll(bytes: Buffer): Promise<void> {
  const bounds = { readBytesMax: 64 * 2 ** 20, stepsMax: 20_000 }
  const root = await findRoot(new BoundedDisk(diskOf(bytes), bounds), paths)
  await root.readFile('/etc/os-release', 4096)
  await root.readFile('/var/lib/dpkg/status', bytesMax)
  await root.listFolder('/many')
}

async function soundBytes(context: TestContext, options: readonly string[]): Promise<Buffer> {
  const tree = {
    'etc/os-release': 'ID=debian',
    'var/lib/dpkg/status': randomBytes(50_000),
    'many/a': 'a',
    'many/b': 'b',
  }
  const { path } = await makeDisk(context, tree, { options, sizeKiB: 2048 })
  await debugfs(path, ['journal_open', 'journal_write -b 900 /dev/zero', 'journal_close'])
  return await readFile(path)
}

test('no file system is so broken that reading it does anything but end', async (context) => {
  const disks = [
    await soundBytes(context, ['-b', '1024']),
    await soundBytes(context, ['-b', '1024', '-O', '^extents,^64bit']),
  ]
  // What is not zero is where something is said; there it is broken.
  const written = disks.map((bytes) =>
    [...bytes.entries()].flatMap(([at, byte]) => (byte !== 0 && at < 600_000 ? [at] : [])),
  )
  const harm = fc.array(fc.tuple(fc.nat(), fc.integer({ min: -8, max: 8 }), fc.nat(255)), {
    minLength: 1,
    maxLength: 40,
  })
  let refused = 0
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(0, 1), harm, async (which, places) => {
      const broken = Buffer.from(disks[which] ?? Buffer.alloc(0))
      for (const [place, near, byte] of places) {
        const at = (written[which]?.[place % (written[which]?.length ?? 1)] ?? 0) + near
        if (at >= 0) broken[at] = byte
      }
      try {
        await readAll(broken)
      } catch (error) {
        assert(error instanceof DiskRefused, String(error))
        refused++
      }
    }),
    { numRuns: 60 },
  )
  assert(refused > 0)
})
