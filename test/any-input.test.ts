/**
 * Every action with inputs that are right in form and chosen at random: ids of things
 * that there are and that there are not, tokens of other lists, numbers at their ends,
 * texts that nobody would write. Each is answered or refused; none makes the service fail.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import * as sts from '@aws-sdk/client-sts'
import fc from 'fast-check'
import { actions } from '../src/actions.ts'
import { openStore, saveNumbers } from '../src/block-store/testing.ts'
import { transaction } from '../src/db/database.ts'
import { send } from '../src/cli/signed-request.ts'
import { extensions } from '../src/extensions.ts'
import { imageFilters } from '../src/images/filters.ts'
import type { Digest } from '../src/lib/digest.ts'
import { formatToken } from '../src/lib/pages.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import type { ServiceName } from '../src/wire/codec.ts'
import {
  type Member,
  Model,
  type SchemaFile,
  type Shape,
  type Structure,
} from '../src/wire/model.ts'
import type { databases } from './databases.ts'
import { others } from './other-services.ts'
import { runsOf } from './random.ts'
import { newId, putImage, putInstance, snapshotRow } from './rows.ts'
import { accountId, region, startSystem, type TestSystem } from './system.ts'

const nasty = fc.constantFrom(
  '',
  ' ',
  '-1',
  '0',
  '99999999999999999999',
  '__proto__',
  'constructor',
  '\u{1f600}',
  '\ufffe',
  '%00',
  '*',
  '?*?*',
  "it's; DROP TABLE images",
  'a/../b',
  '/',
  'x'.repeat(3000),
  'all',
  'self',
  'none',
  'resolve:ssm:/a/b:1:2',
  'resolve:ssm:',
  'arn:aws:ssm:us-east-1:123456789012:parameter/a',
  'arn:aws:organizations::123456789012:ou/o-aaaaaaaaaa/ou-aaaa-aaaaaaaa',
  'file:///etc/passwd',
  '2026-01-01T00:00:00Z',
)
const tokens = fc.constantFrom(
  ...['', '0', 'ami-', '\uffff', 'x'.repeat(500), '__proto__', '9e999'].map(formatToken),
  ...['{}', '[]', 'null', '1', '{"v":1,"after":1}', '{"after":null}', '{"after":{"a":1}}'].map(
    (text) => Buffer.from(text).toString('base64url'),
  ),
  'AAAA',
  '====',
  '%',
)

/** What members of such a name are given, beside what is good for nothing. */
type Words = readonly (readonly [RegExp, readonly string[]])[]

/** A folder whose block store has a disk. */
async function folderWithDisk() {
  const dataFolder = await mkdtemp(join(tmpdir(), 'imago-any-input-'))
  const store = await openStore(join(dataFolder, 'blocks'))
  const manifest = await saveNumbers(store, [1, 2, 3])
  await store.close()
  return { dataFolder, manifest }
}

async function wordsOf(system: TestSystem, manifest: Digest): Promise<Words> {
  const owner = { accountId, region }
  const disks = [snapshotRow(owner, { manifest }), snapshotRow(owner, { manifest })]
  await transaction(system.db.writes, async (tx) => {
    for (const disk of disks) await insertSnapshot(tx, disk)
  })
  const snapshots = disks.map(({ id }) => id)
  const [snapshotId] = snapshots
  assert(snapshotId)
  const ebs = { snapshotId, sizeGiB: 1, type: 'gp3', deleteOnTermination: true }
  const blockDevices = [{ deviceName: '/dev/xvda', ebs }]
  const one = await putImage(system.db, owner, { name: 'one', blockDevices })
  const two = await putImage(system.db, owner, { name: 'two', blockDevices, state: 'disabled' })
  const foreign = await putImage(
    system.db,
    { ...owner, accountId: '999999999999' },
    { name: 'three', blockDevices, isPublic: true },
  )
  const instance = await putInstance(system.db, owner, { imageId: one.id, state: 'stopped' })
  const volumes = await system.db.reads.selectFrom('volumes').select('id').execute()
  const images = [one.id, two.id, foreign.id, newId('image')]
  return [
    [/ImageId/, [...images, ...images, 'ami-1', 'ami-00000000']],
    [/Instance.*Id|InstanceIds/, [instance.id, newId('instance'), 'i-1']],
    [/Snapshot.*Id/, [...snapshots, ...snapshots, newId('snapshot'), 'snap-1']],
    [/Volume.*Id/, [...volumes.map(({ id }) => id), newId('volume'), 'vol-1']],
    [/Resource.*Id|^Resources$/, [one.id, instance.id, ...snapshots, '/a/name', 'ami-']],
    [/Region/, [region, 'us-west-2', 'nowhere']],
    [/Account|UserId|Owner|ExecutableUsers/, [accountId, '222222222222', 'self', 'all', '1']],
    [/Zone/, [`${region}a`, `${region}z`]],
    [/^Attribute$/, ['launchPermission', 'description', 'uefiData', 'createVolumePermission']],
    [/^Name$/, [...Object.keys(imageFilters), 'tag:a', '/a/name', 'an image', 'one']],
    [/Names$|Path/, ['/a/name', 'name:1', 'one', '/a']],
    [/OperationType/, ['add', 'remove']],
    [/^Group$|UserGroups|GroupNames/, ['all']],
    [/DeviceName/, ['/dev/xvda', '/dev/sdb', '/dev/']],
    [/InstanceType$/, ['t3.nano', 't3.*', 'p5.48xlarge']],
    [/Architecture/, ['x86_64', 'arm64', 'i386']],
    [/ResourceType/, ['image', 'snapshot', 'volume', 'EC2_IMAGE', 'EBS_SNAPSHOT', 'Parameter']],
    [/^Type$/, ['String', 'SecureString', 'StringList', 'ec2:Instance', 'aws']],
    [/Arn/, [`arn:aws:ec2:${region}::image/${one.id}`, 'arn:aws:kms:us-east-1:1:key/1']],
    [/Parent/, ['r-aaaa', 'ou-aaaa-aaaaaaaa']],
    [/Mode|State|Status/, ['uefi', 'enabled', 'available', 'governance', 'block-new-sharing']],
    [/UserData/, ['AAAA', '!!!!']],
  ]
}

const ends = [-1, 0, 1, 5, 10, 1000, 65_536, 2 ** 31 - 1, -(2 ** 31)]

/** Values of a shape, with no more than `depth` structures in each other. */
function valueOf(model: Model, shape: Shape, member: Member, words: Words, depth: number) {
  const again = (item: Shape): fc.Arbitrary<unknown> => {
    if (item.kind === 'structure') {
      return structureOf(model, model.structure(item.name), words, depth - 1)
    }
    if (item.kind === 'list') return fc.array(again(item.item), { minLength: 1, maxLength: 3 })
    if (item.kind === 'map') {
      return fc.dictionary(fc.constantFrom('a', 'b c'), again(item.value), { maxKeys: 2 })
    }
    switch (item.kind) {
      case 'boolean':
        return fc.boolean()
      case 'integer':
      case 'decimal':
        return fc.constantFrom(...ends)
      case 'timestamp':
        return fc.constantFrom(new Date(0), new Date('2027-01-01'), new Date('9999-12-31'))
      case 'blob':
        return fc.oneof(
          fc.uint8Array({ minLength: 1, maxLength: 100 }),
          fc.constant(Buffer.alloc(9)),
        )
      case 'string': {
        if (/Token|Marker/.test(member.name) && member.name !== 'ClientToken') return tokens
        const known = words.find(([form]) => form.test(member.name))?.[1] ?? []
        const some = member.location === 'header' ? fc.constantFrom('', 'x', '1') : nasty
        return known.length > 0
          ? fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, some)
          : some
      }
    }
  }
  return again(shape)
}

function structureOf(
  model: Model,
  structure: Structure,
  words: Words,
  depth: number,
): fc.Arbitrary<object> {
  const holdsStructures = (shape: Shape): boolean =>
    shape.kind === 'structure' || (shape.kind === 'list' && holdsStructures(shape.item))
  const members = structure.members.filter(
    ({ name, isRequired, shape }) =>
      // A dry run, or a service that is asked by another, would end too early.
      !['DryRun', 'PresignedUrl'].includes(name) &&
      (isRequired || depth > 0 || !holdsStructures(shape)),
  )
  const required = members.filter(
    ({ isRequired, location }) => isRequired || location === 'payload',
  )
  const values = Object.fromEntries(
    members.map((member) => [member.name, valueOf(model, member.shape, member, words, depth)]),
  )
  const optional = members.filter((member) => !required.includes(member)).map(({ name }) => name)
  // With everything at once, the first thing that is wrong would hide all others.
  return fc
    .tuple(fc.record(values), fc.subarray(optional, { maxLength: Math.min(4, optional.length) }))
    .map(([all, kept]) =>
      Object.fromEntries(
        Object.entries(all).filter(
          ([name]) => kept.includes(name) || required.some((one) => one.name === name),
        ),
      ),
    )
}

async function modelOf(service: ServiceName): Promise<Model> {
  const path = new URL(`../src/wire/schemas/${service}.json`, import.meta.url)
  return new Model(JSON.parse(await readFile(path, 'utf8')) as SchemaFile)
}

const sdks = {
  ...others,
  ec2: {
    commands: { ...ec2 } as Readonly<Record<string, unknown>>,
    make: (settings: ReturnType<TestSystem['settingsWith']>) => new ec2.EC2Client(settings),
  },
  sts: {
    commands: { ...sts } as Readonly<Record<string, unknown>>,
    make: (settings: ReturnType<TestSystem['settingsWith']>) => new sts.STSClient(settings),
  },
}

/** A host that is full says so with a status of its own. */
const honest = ['InsufficientInstanceCapacity']

async function tryAll(context: TestContext, database: keyof typeof databases, runs: number) {
  const { dataFolder, manifest } = await folderWithDisk()
  let freezing: NodeJS.Timeout | undefined
  context.after(() => clearInterval(freezing))
  const system = await startSystem(context, { database, isIdle: true, dataFolder })
  context.after(() => rm(dataFolder, { recursive: true }))
  const words = await wordsOf(system, manifest)
  // What waits for a moment to be taken has it at once, and nobody reads the disks.
  freezing = setInterval(() => {
    const done = system.db.writes.updateTable('freezes').set({ state: 'done' })
    void done.where('state', '=', 'wanted').execute()
  }, 10)
  const settings = system.settingsWith()
  for (const [service, { commands, make }] of Object.entries(sdks)) {
    const model = await modelOf(service as ServiceName)
    const client = make(settings) as ec2.EC2Client
    context.after(() => client.destroy())
    const own = [...actions.values()].filter((one) => (one.service ?? 'ec2') === service)
    for (const { action } of own) {
      const Command = commands[`${action}Command`] as new (
        input: object,
      ) => ec2.DescribeImagesCommand
      const structure = model.input(action)
      const inputs = structure ? structureOf(model, structure, words, 3) : fc.constant({})
      const more = action === 'CopySnapshot' ? { PresignedUrl: 'http://example.com' } : {}
      await fc.assert(
        fc.asyncProperty(inputs, async (input) => {
          try {
            await client.send(new Command({ ...input, ...more }))
          } catch (error) {
            if (!(error instanceof Error && '$metadata' in error)) return
            const { httpStatusCode: status = 0 } = error.$metadata as { httpStatusCode?: number }
            // The SDK has refused it itself.
            if (status === 0) return
            const what = `${action}: ${status} ${error.name} ${error.message}`
            assert(status < 500 || honest.includes(error.name), what)
            assert.notEqual(error.name, 'Error', `there is no code: ${what}`)
          }
        }),
        { numRuns: runs },
      )
    }
  }
}

test('whatever an action is asked, it answers or refuses', (context) =>
  tryAll(context, 'sqlite', runsOf(5)))

test('whatever an action is asked, it answers or refuses on PostgreSQL', (context) =>
  tryAll(context, 'postgres', runsOf(2)))

/** JSON of any shape, with the words that our own calls know among its names. */
const anyJson = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    nasty,
    fc.constantFrom<unknown>(null, true, 0, -1, 1e308, 'x86_64', 'file:///dev/zero', '/', 'uefi'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        'source',
        'name',
        'recipe',
        'bootMode',
        'architecture',
        'public',
        '__proto__',
      ),
      tie('value'),
      { maxKeys: 5 },
    ),
  ),
})).value

test('whatever our own calls are asked, they answer or refuse', async (context) => {
  const { endpoint, imago } = await startSystem(context, { isIdle: true })
  const access = { endpoint, region, key: imago.rootKey }
  const body = fc.oneof(
    anyJson.map((value) => JSON.stringify(value)),
    fc.constantFrom(
      '',
      '{',
      '[['.repeat(30_000),
      '{"a":'.repeat(30_000),
      '\ufeff{}',
      '"\\u0000"',
      '\0',
    ),
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...extensions), nasty, body, async (one, id, text) => {
      const path = one.path.replace(/:\w+/, encodeURIComponent(id))
      const answer = await send(access, {
        service: 'imago',
        method: one.method,
        path,
        contentType: 'application/json',
        body: one.method === 'GET' ? '' : text,
      })
      assert(
        answer.status < 500,
        `${path} ${answer.status} ${answer.text} of ${text.slice(0, 300)}`,
      )
    }),
    { numRuns: runsOf(200) },
  )
})
