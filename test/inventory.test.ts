/** The auditor's questions: which images there are, who may launch them and who does, and which machine is of which. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  CopyImageCommand,
  DeregisterImageCommand,
  EnableImageDeprecationCommand,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2'
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { showInventory } from '../src/cli/commands/inventory.ts'
import { callImago, type Fields } from '../src/cli/imago-client.ts'
import { noteAccess } from '../src/cli/installation.ts'
import { transaction } from '../src/db/database.ts'
import { addLaunchPermissions } from '../src/images/permission-store.ts'
import { findInstance } from '../src/instances/store.ts'
import { findLaunch, insertLaunch } from '../src/inventory/launch-store.ts'
import { launchReconciler } from '../src/inventory/reconcile.ts'
import { insertRoot, listRoots } from '../src/inventory/root-store.ts'
import type { Id } from '../src/lib/ids.ts'
import { Secret } from '../src/lib/secret.ts'
import { databases } from './databases.ts'
import { newId, putImage, putInstance } from './rows.ts'
import { accountId, type ClientSettings, region, startSystem } from './system.ts'

const sharee = '222222222222'
const stranger = '333333333333'
const owner = { accountId, region }
const inventory = '/imago/v1/inventory'
const launches = '/imago/v1/launches'

const accessOf = ({ endpoint, credentials }: ClientSettings) => ({
  endpoint,
  region,
  key: { id: credentials.accessKeyId, secret: new Secret(credentials.secretAccessKey) },
})

test('an image that is shared and launched is told of to each as much as it may know', async (context) => {
  const system = await startSystem(context, { isIdle: true })
  const { ec2, db } = system
  const ours = accessOf(system.settingsWith())
  const theirs = accessOf(await system.settingsOf(sharee))
  const nobodys = accessOf(await system.settingsOf(stranger))
  const image = await putImage(db, owner, { name: '=cmd|x' })
  await transaction(db.writes, (tx) =>
    addLaunchPermissions(tx, image.id, [{ kind: 'user', grantee: sharee }]),
  )
  const other = await system.client(sharee)
  const run = { ImageId: image.id, MinCount: 1, MaxCount: 1, InstanceType: 't3.nano' } as const
  const { Instances: [instance] = [] } = await other.send(new RunInstancesCommand(run))
  const instanceId = instance?.InstanceId
  assert(instanceId)
  const ssm = new SSMClient(system.settingsWith())
  context.after(() => ssm.destroy())
  const alias = { Name: '/golden', Type: 'String', DataType: 'aws:ec2:image' } as const
  await ssm.send(new PutParameterCommand({ ...alias, Value: image.id }))
  const copying = { SourceRegion: region, SourceImageId: image.id, Name: 'a copy' }
  const { ImageId: copyId } = await ec2.send(new CopyImageCommand(copying))
  const DeprecateAt = new Date(Date.now() + 3600_000)
  await ec2.send(new EnableImageDeprecationCommand({ ImageId: image.id, DeprecateAt }))

  const imagesOf = async (access: typeof ours, body: object = {}) =>
    (await callImago(access, 'POST', inventory, body))['images'] as Fields[]
  const own = (await imagesOf(ours)).find((one) => one['imageId'] === image.id)
  assert.partialDeepStrictEqual(own, {
    name: '=cmd|x',
    ownerId: accountId,
    state: 'available',
    mayLaunch: { public: false, accounts: [sharee], organizations: [] },
    machines: 1,
    machinesRunning: 0,
    machinesByAccount: { [sharee]: 1 },
    aliases: ['/golden'],
    children: [copyId],
    isDeprecated: false,
    isDisabled: false,
    dataBytes: 0,
  })
  assert(own?.['lastLaunchedAt'])
  const [seen, ...more] = await imagesOf(theirs)
  assert.equal(more.length, 0)
  assert.deepEqual(seen?.['mayLaunch'], { public: false })
  assert.partialDeepStrictEqual(seen, { imageId: image.id, machines: 1, children: [], aliases: [] })
  for (const hidden of ['lastLaunchedAt', 'aloneBytes', 'dataBytes'])
    assert.equal(seen?.[hidden], undefined)
  assert.deepEqual(await imagesOf(nobodys), [])
  const all = await imagesOf(ours, { all: true })
  assert.deepEqual(new Set(all.map((one) => one['imageId'])), new Set([image.id, copyId]))
  await assert.rejects(imagesOf(theirs, { all: true }), /UnauthorizedOperation/)

  await ec2.send(new DeregisterImageCommand({ ImageId: image.id }))
  const [still] = await imagesOf(theirs)
  assert.equal(still?.['state'], 'deregistered', 'a machine is still on it')
  const launchesOf = async (access: typeof ours, body: object) =>
    await callImago(access, 'POST', launches, body)
  const {
    launches: [launch],
  } = (await launchesOf(theirs, { instanceId })) as {
    launches: Fields[]
  }
  assert.partialDeepStrictEqual(launch, {
    instanceId,
    accountId: sharee,
    imageId: image.id,
    imageName: '=cmd|x',
    imageOwnerId: accountId,
    imageState: 'deregistered',
    launchedBy: `arn:aws:iam::${sharee}:user/test`,
  })
  for (const access of [ours, nobodys])
    await assert.rejects(launchesOf(access, { instanceId }), /InvalidInstanceID\.NotFound/)
  assert.deepEqual(await launchesOf(ours, { imageId: image.id }), {
    launches: [],
    launchesByAccount: { [sharee]: 1 },
  })
  assert.deepEqual(await launchesOf(nobodys, { imageId: image.id }), { launches: [] })
  const found = await launchesOf(ours, { imageId: image.id, all: true })
  assert.equal((found['launches'] as Fields[]).length, 1)
  for (const [body, message] of [
    [{}, /Either instanceId or imageId/],
    [{ instanceId, imageId: image.id }, /Either/],
    [{ instanceId: 'i-x' }, /InvalidInstanceID\.Malformed/],
    [{ imageId: 'x' }, /InvalidAMIID\.Malformed/],
    [{ imageId: image.id, color: 'red' }, /UnknownParameter/],
    [{ imageId: image.id, maxResults: 0 }, /maxResults/],
    [{ imageId: image.id, nextToken: 'x' }, /InvalidNextToken/],
  ] as const)
    await assert.rejects(launchesOf(ours, body), message)

  // What an account did with the image of another one is in the trails of both.
  for (const settings of [system.settingsWith(), await system.settingsOf(sharee)]) {
    const trail = new CloudTrailClient(settings)
    context.after(() => trail.destroy())
    const LookupAttributes = [
      { AttributeKey: 'EventName', AttributeValue: 'RunInstances' } as const,
    ]
    const { Events = [] } = await trail.send(new LookupEventsCommand({ LookupAttributes }))
    assert.deepEqual(
      Events.map(({ Resources = [] }) =>
        Resources.some(({ ResourceName }) => ResourceName === image.id),
      ),
      [true],
    )
  }

  // As a person asks for it.
  await noteAccess(system.dataFolder, { endpoint: system.endpoint, key: ours.key })
  const print = async (options: Parameters<typeof showInventory>[1]) => {
    let text = ''
    const shell = {
      environment: { IMAGO_DATA: system.dataFolder, IMAGO_ACCOUNT_ID: accountId },
      output: { write: (line: string) => (text += line) },
      now: () => new Date(),
    }
    await showInventory(shell as never, options)
    return text
  }
  const table = await print({ all: true })
  assert.match(table, /^IMAGE +NAME +OWNER +STATE/)
  assert.match(table, new RegExp(`^${copyId} +a copy +${accountId}`, 'm'))
  assert.match(
    await print({ all: true, format: 'csv' }),
    new RegExp(`"${image.id}","'=cmd\\|x","${accountId}"`),
  )
  assert.equal((JSON.parse(await print({ format: 'json' })) as Fields[]).length, 1)
  const [snapshotId, volumeId] = [newId('snapshot'), newId('volume')]
  const taskId = newId('replace-root-volume-task')
  const to = { taskId, instanceId: launch?.['instanceId'] as Id<'instance'>, snapshotId, volumeId }
  await transaction(db.writes, (tx) =>
    insertRoot(tx, { ...to, image: undefined, replacedAt: new Date() }),
  )
  assert.match(
    await print({ all: true, instance: instanceId }),
    new RegExp(`^${instanceId} .* ${image.id} .* ${snapshotId}$`, 'm'),
  )
  assert.match(
    await print({ all: true, image: image.id, format: 'csv' }),
    new RegExp(`"${instanceId}"`),
  )
})

test('a machine whose root was replaced by another image is told of with both', async (context) => {
  const system = await startSystem(context, { isIdle: true })
  const { db } = system
  const [ours, theirs, nobodys] = await Promise.all(
    [accountId, sharee, stranger].map(async (id) => accessOf(await system.settingsOf(id))),
  )
  assert(ours && theirs && nobodys)
  const first = await putImage(db, owner, { name: 'first' })
  const second = await putImage(db, owner, { name: 'second' })
  const machine = await putInstance(db, { accountId: sharee, region }, { imageId: first.id })
  await putLaunch(db, machine)
  const image = { imageId: second.id, imageName: 'second', imageOwnerId: accountId }
  const root = (at: number, then: typeof image | undefined) => ({
    taskId: newId('replace-root-volume-task'),
    instanceId: machine.id,
    image: then,
    snapshotId: then ? undefined : newId('snapshot'),
    volumeId: newId('volume'),
    replacedAt: new Date(at),
  })
  const roots = [root(1_000_000, image), root(2_000_000, undefined)]
  await transaction(db.writes, async (tx) => {
    for (const each of roots.toReversed()) await insertRoot(tx, each)
  })
  const launchesOf = async (access: typeof ours, body: object) =>
    (await callImago(access, 'POST', launches, body))['launches'] as Fields[]
  const [launch] = await launchesOf(theirs, { instanceId: machine.id })
  assert.equal(launch?.['imageId'], first.id)
  assert.deepEqual(launch?.['rootReplacements'], [
    {
      taskId: roots[0]?.taskId,
      ...image,
      imageState: 'available',
      volumeId: roots[0]?.volumeId,
      replacedAt: '1970-01-01T00:16:40.000Z',
    },
    {
      taskId: roots[1]?.taskId,
      snapshotId: roots[1]?.snapshotId,
      volumeId: roots[1]?.volumeId,
      replacedAt: '1970-01-01T00:33:20.000Z',
    },
  ])
  for (const imageId of [first.id, second.id]) {
    assert.deepEqual(await launchesOf(theirs, { imageId }), [launch])
    assert.deepEqual(await launchesOf(nobodys, { imageId }), [])
    assert.deepEqual(await callImago(ours, 'POST', launches, { imageId }), {
      launches: [],
      launchesByAccount: { [sharee]: 1 },
    })
  }
  // It has to do with both images, of which neither is its own.
  const seen = (await callImago(theirs, 'POST', inventory, {}))['images'] as Fields[]
  assert.deepEqual(
    seen.map((one) => [one['imageId'], one['machines'], one['machinesRunning']]),
    [first.id, second.id].sort().map((id) => [id, 1, 1]),
  )
  await db.writes.deleteFrom('launches').execute()
  assert.deepEqual(await listRoots(db.reads, machine.id), [])
})

test('an inventory comes in pages', async (context) => {
  const system = await startSystem(context, { isIdle: true })
  const ours = accessOf(system.settingsWith())
  const made: string[] = []
  for (let number = 0; number < 5; number++) {
    const image = await putImage(system.db, owner, { name: `image-${number}` })
    made.push(image.id)
    const instance = await putInstance(system.db, owner, { imageId: image.id })
    await putLaunch(system.db, { ...instance, imageId: made[0] as typeof image.id })
  }
  for (const [path, body, name, id] of [
    [inventory, {}, 'images', 'imageId'],
    [launches, { imageId: made[0] }, 'launches', 'instanceId'],
  ] as const) {
    const ids: unknown[] = []
    let nextToken: unknown
    let pages = 0
    do {
      const more = nextToken === undefined ? {} : { nextToken }
      const answer = await callImago(ours, 'POST', path, { ...body, maxResults: 2, ...more })
      ids.push(...(answer[name] as Fields[]).map((one) => one[id]))
      nextToken = answer['nextToken']
      pages++
    } while (nextToken !== undefined)
    assert.equal(pages, 3)
    assert.equal(new Set(ids).size, 5)
    if (path === inventory) assert.deepEqual(ids, made.sort())
  }
})

for (const database of Object.keys(databases) as (keyof typeof databases)[]) {
  test(`which image a machine was started from is known when both are gone, for a while (${database})`, async (context) => {
    const system = await startSystem(context, { database })
    const { db } = system
    const image = await putImage(db, owner, { name: 'gone' })
    const instance = await putInstance(db, owner, {
      imageId: image.id,
      state: 'terminated',
      stateSince: new Date(),
    })
    await putLaunch(db, instance)
    await db.writes
      .updateTable('instances')
      .set({ state_since_ms: Date.now() - 2 * 3600_000 })
      .where('id', '=', instance.id)
      .execute()
    await db.writes
      .deleteFrom('volume_attachments')
      .where('instance_id', '=', instance.id)
      .execute()
    await system.ec2.send(new DeregisterImageCommand({ ImageId: image.id }))
    await system.until('the end', async () => !(await findInstance(db.reads, instance.id)))
    const body = { instanceId: instance.id }
    const answer = await callImago(accessOf(system.settingsWith()), 'POST', launches, body)
    const [launch] = answer['launches'] as Fields[]
    assert.partialDeepStrictEqual(launch, {
      imageId: image.id,
      imageName: 'gone',
      imageState: 'deregistered',
    })
    assert(launch?.['endedAt'])
    const later = (days: number) => () => new Date(Date.now() + days * 24 * 3600_000)
    for (const [days, isKnown] of [
      [9, true],
      [11, false],
    ] as const) {
      const reconciler = launchReconciler({ db, now: later(days), days: 10 })
      for (const key of await reconciler.due()) await reconciler.step(key)
      assert.equal((await findLaunch(db.reads, instance.id)) !== undefined, isKnown)
    }
  })
}

async function putLaunch(
  db: Parameters<typeof putImage>[0],
  instance: Awaited<ReturnType<typeof putInstance>>,
): Promise<void> {
  await transaction(db.writes, (tx) =>
    insertLaunch(tx, {
      ...instance,
      instanceId: instance.id,
      imageName: 'gone',
      imageOwnerId: accountId,
      launchedBy: undefined,
      endedAt: undefined,
    }),
  )
}
