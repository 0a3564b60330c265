import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { DiskRefused } from '../disk-files/bounded-disk.ts'
import { debugfs, makeDisk, type Tree } from '../../test/made-disk.ts'
import { readDpkgStatus } from './dpkg-status.ts'
import type { Inventory } from './inventory.ts'
import { readInventory } from './read-inventory.ts'
import { debianRelease, dpkgParagraph } from './testing.ts'

async function read(context: TestContext, tree: Tree): Promise<Inventory> {
  return await readInventory(await makeDisk(context, tree))
}

const briefly = ({ sources }: Inventory) =>
  sources.map(
    ({ name, version, packages }) =>
      `${name} ${version}: ${packages.map((one) => one.name).join()}`,
  )

test('the packages of Debian are known by their sources', async (context) => {
  const status = [
    dpkgParagraph('libssl3', '3.0.11-1~deb12u2', 'openssl'),
    dpkgParagraph('openssl', '3.0.11-1~deb12u2'),
    dpkgParagraph('libc-bin', '2.36-9+b1', 'glibc (2.36-9)'),
    dpkgParagraph('linux-image-6.1.0-18-amd64', '6.1.76-1', 'linux-signed-amd64 (6.1.76+1)'),
    dpkgParagraph('removed', '1').replace('install ok installed', 'deinstall ok config-files'),
    dpkgParagraph('odd version', '1'),
    dpkgParagraph('broken', '1').replace('install ok installed', 'install ok half-configured'),
    'Package: nothing\n',
    'no field at all\n\0\0\0: \0\n',
  ].join('\n')
  const inventory = await read(context, {
    'etc/os-release': { link: '../usr/lib/os-release' },
    'usr/lib/os-release': debianRelease,
    'var/lib/dpkg/status': status,
    'var/lib/dpkg/status.d/base': 'Package: base-files\nVersion: 12.4\n',
    'var/lib/dpkg/status.d/base.md5sums': 'Package: not-one\nVersion: 1\n',
  })
  assert.equal(inventory.ecosystem, 'Debian:12')
  assert.equal(inventory.system, 'Debian GNU/Linux 12 (bookworm)')
  assert.deepEqual(briefly(inventory), [
    'base-files 12.4: base-files',
    'broken 1: broken',
    'glibc 2.36-9: libc-bin',
    'linux 6.1.76-1: linux-image-6.1.0-18-amd64',
    'openssl 3.0.11-1~deb12u2: libssl3,openssl',
  ])
  const [base] = inventory.sources
  assert.equal(base?.packages[0]?.path, '/var/lib/dpkg/status.d/base')
})

test('the packages of Ubuntu and Alpine are known too', async (context) => {
  const noble = await read(context, {
    'etc/os-release': "ID=ubuntu\nVERSION_ID='24.04'\n",
    'var/lib/dpkg/status': dpkgParagraph(
      'linux-image-6.8.0-31-aws',
      '6.8.0-31.31',
      'linux-signed-aws',
    ),
  })
  assert.equal(noble.ecosystem, 'Ubuntu:24.04')
  assert.deepEqual(briefly(noble), ['linux-aws 6.8.0-31.31: linux-image-6.8.0-31-aws'])
  const alpine = await read(context, {
    'etc/os-release': 'ID=alpine\nVERSION_ID=3.19.1\nPRETTY_NAME="Alpine Linux v3.19"\n',
    'lib/apk/db/installed': [
      'C:Q1=\nP:musl-utils\nV:1.2.4-r1\no:musl\nF:usr\nR:x\n',
      'P:busybox\nV:1.36.1-r15\n',
    ].join('\n'),
  })
  assert.equal(alpine.ecosystem, 'Alpine:v3.19')
  assert.deepEqual(briefly(alpine), ['busybox 1.36.1-r15: busybox', 'musl 1.2.4-r1: musl-utils'])
})

test('of a disk that nothing can be said of, it is said why', async (context) => {
  const refused = async (tree: Tree, why: RegExp) =>
    assert.rejects(
      read(context, tree),
      (error) => error instanceof DiskRefused && why.test(error.message),
    )
  await refused({ 'etc/hostname': 'x' }, /no operating system/)
  await refused({ 'etc/os-release': 'ID=fedora\nVERSION_ID=40\n' }, /no advisories .*: fedora/)
  await refused({ 'etc/os-release': 'ID=debian\n' }, /no advisories .*: debian/)
  await refused({ 'etc/os-release': debianRelease }, /no packages were found/)
  await refused({ 'etc/os-release': Buffer.alloc(70_000, 'x') }, /over 65536 bytes/)
  const sparse = await makeDisk(context, {
    'etc/os-release': debianRelease,
    'var/lib/dpkg/status': dpkgParagraph('bash', '5.2.15-2+b2'),
  })
  await debugfs(sparse.path, ['sif /var/lib/dpkg/status size 10737418240'])
  await assert.rejects(readInventory(sparse), /status in it is over 16777216 bytes/)
})

test('a database that is long and says nothing is read in a moment', async (context) => {
  const lengthMax = 2 ** 21
  for (const text of ['\n', ':', 'ab\n', ' \n', 'Package: x\nVersion: 1\n', 'Status: \n\n']) {
    const found = [...readDpkgStatus(text.repeat(lengthMax / text.length), '/status')]
    assert(found.length <= 1)
  }
  const many = Array.from({ length: 20_001 }, (_, number) => dpkgParagraph(`x${number}`, '1'))
  const content = { 'etc/os-release': debianRelease, 'var/lib/dpkg/status': many.join('\n') }
  const disk = await makeDisk(context, content, { sizeKiB: 16_384 })
  await assert.rejects(readInventory(disk), /it has over 20000 packages/)
})
