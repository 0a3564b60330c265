import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { BlockStore } from '../block-store/block-store.ts'
import { SimDisk } from '../block-store/sim-disk.ts'
import { StoredDisk } from '../block-store/stored-disk.ts'
import { objectOf } from '../buckets/testing.ts'
import { digestOf } from '../lib/digest.ts'
import { BadBundle, type BundleManifest, parseLocation } from './bundle.ts'
import { parseManifest } from './manifest.ts'
import { readBundle } from './read-bundle.ts'
import { checkTarHeader, writeTarHeader } from './tar.ts'
import { writeBundle } from './write-bundle.ts'

const now = () => new Date(1_000_000)
const about = { key: 'a/image.manifest.xml', name: 'image', user: '1', architecture: 'x86_64' }
const sector = 512

async function openStore(context: TestContext): Promise<BlockStore> {
  const store = await BlockStore.open({ folder: new SimDisk(now), now, graceMs: 0, workers: 0 })
  context.after(() => store.close())
  return store
}

async function* inPieces(bytes: Buffer, pieceBytes = 70_001): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

/** What lies in the bucket when a disk has been bundled. */
async function bundle(disk: Buffer): Promise<Map<string, Buffer>> {
  const objects = new Map<string, Buffer>()
  const source = { sizeBytes: disk.length, bytes: inPieces(disk) }
  await writeBundle(source, about, async (key, bytes) => void objects.set(key, Buffer.from(bytes)))
  return objects
}

const manifestIn = (objects: ReadonlyMap<string, Buffer>): BundleManifest =>
  parseManifest(objects.get(about.key) ?? Buffer.alloc(0))

async function read(
  store: BlockStore,
  manifest: BundleManifest,
  objects: ReadonlyMap<string, Buffer>,
  { goOn = async () => {}, signal = new AbortController().signal } = {},
) {
  using upload = store.beginUpload()
  const open = async (name: string) => {
    const bytes = objects.get(`a/${name}`)
    return bytes && objectOf(bytes)
  }
  return await readBundle(manifest, { upload, open, goOn, signal })
}

/** A bundle of any archive, its digests being right. */
function bundleOf(archive: Buffer, sizeBytes: number, packed = gzipSync(archive)) {
  const parts = [{ name: 'p', digest: digestOf(packed) }]
  const manifest: BundleManifest = {
    architecture: undefined,
    rootDeviceName: undefined,
    sizeBytes,
    bundledSizeBytes: packed.length,
    digest: digestOf(archive),
    parts,
  }
  return { manifest, objects: new Map([['a/p', packed]]) }
}

/** Every other block is of zeros, and none is like another. */
function disk(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  for (let at = 0; at < sizeBytes; at += 1_100_000) bytes.write(`at ${at}`, at)
  return bytes
}

test('a disk that is bundled and read again is that disk', async (context) => {
  const store = await openStore(context)
  for (const size of [sector, 512 * 1024, 5_000_192]) {
    const bytes = disk(size)
    const objects = await bundle(bytes)
    const digest = await read(store, manifestIn(objects), objects)
    const found = Buffer.alloc(size)
    await new StoredDisk(store, digest).read(found, 0, size, 0)
    assert(found.equals(bytes))
    assert.equal((await store.readManifest(digest)).sizeBytes, size)
  }
})

test('a large disk has several parts, each as the manifest says', async (context) => {
  const store = await openStore(context)
  const bytes = Buffer.alloc(22 * 2 ** 20)
  // Noise, which no packing makes any smaller.
  for (let at = 0, state = 1; at < bytes.length; at += 4) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223
    bytes.writeInt32LE(state ^ (state >>> 15), at)
  }
  const objects = await bundle(bytes)
  const manifest = manifestIn(objects)
  assert.equal(manifest.parts.length, 3)
  assert.equal(objects.get('a/image.part.00')?.length, 10 * 2 ** 20)
  await read(store, manifest, objects)

  const swapped = new Map(objects)
  swapped.set('a/image.part.00', objects.get('a/image.part.01') ?? Buffer.alloc(0))
  await assert.rejects(read(store, manifest, swapped), BadBundle)
  const without = new Map(objects)
  without.delete('a/image.part.02')
  await assert.rejects(read(store, manifest, without), /part 2 is gone/)
})

test('what tar writes is read, also of a disk that is too large for its usual header', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'imago-bundles-'))
  context.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'disk.raw')
  const bytes = disk(3_000_320)
  await writeFile(path, bytes)
  const tar = (bytesMax: number) => {
    const command = `tar -c --format=gnu disk.raw 2>/dev/null | head -c ${bytesMax}`
    return spawnSync('sh', ['-c', command], { cwd: folder, maxBuffer: 2 ** 24 }).stdout
  }
  const store = await openStore(context)
  const { manifest, objects } = bundleOf(tar(2 ** 24), bytes.length)
  const found = Buffer.alloc(bytes.length)
  await new StoredDisk(store, await read(store, manifest, objects)).read(found, 0, found.length, 0)
  assert(found.equals(bytes))

  const large = 9 * 2 ** 30
  await truncate(path, large)
  checkTarHeader(tar(sector), large)
  checkTarHeader(writeTarHeader('disk.raw', large), large)
  assert.throws(() => checkTarHeader(tar(sector), large - sector), BadBundle)
})

test('reading ends when nobody waits for it any more, or the service closes', async (context) => {
  const store = await openStore(context)
  const bytes = Buffer.alloc(70 * 2 ** 19)
  for (let at = 0; at < bytes.length; at += 2 ** 19) bytes.write(`at ${at}`, at)
  const objects = await bundle(bytes)
  const manifest = manifestIn(objects)
  const goOn = () => Promise.reject(new BadBundle('nobody waits'))
  await assert.rejects(read(store, manifest, objects, { goOn }), /nobody waits/)
  const signal = AbortSignal.abort()
  await assert.rejects(read(store, manifest, objects, { signal }), { name: 'AbortError' })
})

test('no damaged byte of a bundle goes unnoticed', async (context) => {
  const store = await openStore(context)
  const objects = await bundle(disk(1_200_128))
  const manifest = manifestIn(objects)
  const part = objects.get('a/image.part.00') ?? Buffer.alloc(0)
  await fc.assert(
    fc.asyncProperty(
      fc.nat(part.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, change) => {
        const damaged = Buffer.from(part)
        damaged[at] = (damaged[at] ?? 0) ^ change
        const changed = new Map([['a/image.part.00', damaged]])
        await assert.rejects(read(store, manifest, changed), BadBundle)
      },
    ),
    { numRuns: 60 },
  )
})

test('an archive of something else is refused, though its digests are right', async (context) => {
  const store = await openStore(context)
  const size = 3 * sector
  const header = writeTarHeader('x', size)
  const body = Buffer.alloc(size, 7)
  const end = Buffer.alloc(1024)
  const good = Buffer.concat([header, body, end])
  const whole = bundleOf(good, size)
  await read(store, whole.manifest, whole.objects)
  const link = Buffer.from(header)
  link.write('2', 156)
  const cases: readonly [string, ReturnType<typeof bundleOf>][] = [
    ['no tar', bundleOf(Buffer.concat([Buffer.alloc(512, 65), body, end]), size)],
    ['a link', bundleOf(Buffer.concat([link, body, end]), size)],
    ['two files', bundleOf(Buffer.concat([header, body, header, body, end]), size)],
    ['too long a disk', bundleOf(good, size - sector)],
    ['too short a disk', bundleOf(Buffer.concat([header, body.subarray(1)]), size)],
    ['nothing', bundleOf(Buffer.alloc(0), size)],
    ['no gzip', bundleOf(good, size, good)],
    ['something behind it', bundleOf(good, size, Buffer.concat([gzipSync(good), body]))],
    ['a bomb', bundleOf(Buffer.concat([header, Buffer.alloc(2 ** 26)]), size)],
  ]
  for (const [what, { manifest, objects }] of cases) {
    await assert.rejects(read(store, manifest, objects), BadBundle, what)
  }
  const other = { ...whole.manifest, digest: digestOf(Buffer.from('another')) }
  await assert.rejects(read(store, other, whole.objects), /its disk is damaged/)
  const larger = { ...whole.manifest, bundledSizeBytes: whole.manifest.bundledSizeBytes + 1 }
  await assert.rejects(read(store, larger, whole.objects), /smaller than it says/)
})

const digest = 'ab'.repeat(32)
const right = `<?xml version="1.0" ?>
<!-- as EC2's tools write it -->
<manifest><version>2007-10-10</version>
  <bundler><name>ec2-ami-tools</name><version>1.3</version></bundler>
  <machine_configuration><architecture>arm64</architecture><kernel_id/>
    <block_device_mapping>
      <mapping><virtual>ami</virtual><device>sda1</device></mapping>
      <mapping><virtual>root</virtual><device>/dev/xvda</device></mapping>
    </block_device_mapping>
  </machine_configuration>
  <image><name>a &amp; b</name><user>123456789012</user><type>machine</type>
    <digest algorithm='SHA-256'>${digest.toUpperCase()}</digest>
    <size>1024</size><bundled_size>77</bundled_size>
    <parts count="2">
      <part index="0"><filename>image.part.0</filename><digest algorithm="SHA256">${digest}</digest></part>
      <part index="1"><filename>image.part.1</filename><digest algorithm="SHA256">${digest}</digest></part>
    </parts>
  </image>
</manifest>`

test('a manifest is read as it stands', () => {
  const one = { digest: `sha256:${digest}` }
  assert.deepEqual(parseManifest(Buffer.from(right)), {
    architecture: 'arm64',
    rootDeviceName: '/dev/xvda',
    sizeBytes: 1024,
    bundledSizeBytes: 77,
    digest: `sha256:${digest}`,
    parts: [
      { name: 'image.part.0', ...one },
      { name: 'image.part.1', ...one },
    ],
  })
})

test('a manifest that could mean anything else is refused', () => {
  const changes: readonly [string | RegExp, string][] = [
    ['2007-10-10', '3'],
    ['machine</type>', 'kernel</type>'],
    ['arm64', 'vax'],
    ['<kernel_id/>', '<kernel_id>aki-1</kernel_id>'],
    ['/dev/xvda', '/dev/../etc/passwd'],
    ['<type>', '<ec2_encrypted_key algorithm="AES-128-CBC">00</ec2_encrypted_key><type>'],
    ["algorithm='SHA-256'", "algorithm='SHA1'"],
    [digest, 'ab'.repeat(20)],
    ['<size>1024', '<size>1000'],
    ['<size>1024', '<size>-512'],
    ['<size>1024', '<size>0'],
    ['<size>1024', '<size>1e3'],
    ['<size>1024', `<size>${2 ** 40}`],
    ['<bundled_size>77', '<bundled_size>999999999999'],
    ['count="2"', 'count="3"'],
    ['index="1"', 'index="0"'],
    ['image.part.1', 'image.part.0'],
    ['image.part.1', '../image.part.1'],
    ['image.part.1', '/etc/passwd'],
    ['image.part.1', '..'],
    ['image.part.1', '.imago-x'],
    ['image.part.1', 'a&#0;b'],
    ['image.part.1', 'x'.repeat(201)],
    [/<part index[^]*<\/part>/, ''],
    ['<manifest>', '<!DOCTYPE manifest [<!ENTITY a "b">]><manifest>'],
    ['a &amp; b', '&a;'],
    ['</manifest>', ''],
    ['</manifest>', '</manifest><manifest/>'],
    ['</image>', '</picture>'],
    [/$/, 'text'],
  ]
  for (const [from, to] of changes) {
    const changed = right.replace(from, to)
    assert.notEqual(changed, right)
    assert.throws(() => parseManifest(Buffer.from(changed)), BadBundle, `${String(from)} → ${to}`)
  }
})

test('no bytes keep the reader of manifests busy, or make it fail otherwise', () => {
  const outcome = (bytes: Uint8Array) => {
    try {
      parseManifest(bytes)
    } catch (error) {
      if (!(error instanceof BadBundle)) throw error
    }
  }
  const whole = 2 ** 19
  const hostile = [
    '<a>',
    '<a ',
    '<a b="c" ',
    '&',
    '&amp;',
    '<!--',
    '<?',
    '</',
    ' ',
    '<a b=',
    '<a/>',
  ]
  for (const piece of hostile) {
    outcome(Buffer.from(piece.repeat(whole / piece.length)))
    outcome(Buffer.from(`<manifest>${piece.repeat(whole / piece.length - 10)}`))
  }
  outcome(Buffer.alloc(2 ** 21, 65))
  const words = [
    '<manifest>',
    '</manifest>',
    '<image>',
    '</image>',
    '<parts count="1">',
    '</parts>',
  ]
  const more = ['<size>', '512', '</size>', '"', "'", '&lt;', '<part index="0">', '\0', '<!--']
  const word = fc.constantFrom(...words, ...more)
  fc.assert(fc.property(fc.array(word), (some) => outcome(Buffer.from(some.join('')))))
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), outcome))
  fc.assert(
    fc.property(fc.nat(right.length), fc.nat(40), fc.string(), (at, count, text) =>
      outcome(Buffer.from(right.slice(0, at) + text + right.slice(at + count))),
    ),
    { numRuns: 500 },
  )
})

test('a location is a bucket with a key', () => {
  assert.deepEqual(parseLocation('b/c/d'), { bucket: 'b', key: 'c/d' })
  for (const wrong of ['', 'b', '/b', 'b/', '/']) assert.equal(parseLocation(wrong), undefined)
})
