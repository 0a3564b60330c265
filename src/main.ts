/**
 * The composition: opens what there is, in order, and closes it in reverse. The
 * only file beside `config.ts` that knows the clock, random bytes and the process.
 */
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import { AuditLog } from './audit/log.ts'
import { auditReconciler } from './audit/reconcile.ts'
import { BlockIntake } from './block-store/block-intake.ts'
import { BlockStore } from './block-store/block-store.ts'
import { StoredDisk } from './block-store/stored-disk.ts'
import { baseReconciler } from './bases/reconcile.ts'
import { serveBases } from './bases/serve.ts'
import { Buckets } from './buckets/buckets.ts'
import { bundleReconciler } from './bundles/reconcile.ts'
import { recipes } from './catalog/recipe.ts'
import type { Config } from './config.ts'
import { type Connections, migrate, openSqlite, transaction } from './db/database.ts'
import { SharedTransactions } from './db/shared-transactions.ts'
import { lockFolder } from './db/lock.ts'
import { Reserve } from './db/reserve.ts'
import { openMasterKey } from './db/master-key.ts'
import { declarativeReportReconciler } from './declarative-reports/reconcile.ts'
import { directSnapshotReconciler } from './ebs-direct/reconcile.ts'
import { EventFeed } from './events/feed.ts'
import { deliveryReconciler } from './events/reconcile/deliver.ts'
import { eventReconciler } from './events/reconcile/publish.ts'
import { eventRetentionReconciler } from './events/reconcile/retain.ts'
import { fastLaunchReconciler } from './fast-launch/reconcile.ts'
import { fastRestoreReconciler } from './fast-restores/reconcile.ts'
import { freezeReconciler } from './freezes/reconcile.ts'
import { garbageReconciler } from './garbage/reconcile.ts'
import { GuestApi } from './guest-api.ts'
import { createApiServer } from './http.ts'
import { findAccessKey, findSealedSecret, insertAccount, putAccessKey } from './iam/store.ts'
import { usageReportReconciler } from './image-usage/reconcile.ts'
import { imageReconciler } from './images/reconcile.ts'
import { RoleCredentials } from './imds/role-credentials.ts'
import { MetadataService } from './imds/service.ts'
import { catalogImport, type Import } from './imports/import.ts'
import { importTaskReconciler } from './import-tasks/reconcile.ts'
import { findPlatform } from './imports/platform.ts'
import { importReconciler } from './imports/reconcile.ts'
import { insertImport, listCatalogImports } from './imports/store.ts'
import { Machines } from './instances/machines.ts'
import { instanceReconciler } from './instances/reconcile/reconcile.ts'
import { listByState } from './instances/store.ts'
import { launchReconciler } from './inventory/reconcile.ts'
import { StoredSizes } from './inventory/sizes.ts'
import { openDiskKey } from './kms/disk-keys.ts'
import { isKeyUnusable } from './kms/key-trouble.ts'
import { keyReconciler } from './kms/reconcile.ts'
import { findSealedMaterial } from './kms/store.ts'
import { formatId, type Id, type Kind } from './lib/ids.ts'
import type { Log } from './lib/log.ts'
import type { Sealer } from './lib/seal.ts'
import { Secret } from './lib/secret.ts'
import { ensureDefaultNetwork } from './network/defaults.ts'
import { Networks } from './network/networks.ts'
import { networkReconciler } from './network/reconcile.ts'
import { accountReconciler } from './organizations/reconcile.ts'
import type { System } from './pipeline.ts'
import { type Accelerator, probeAccelerator } from './qemu/accelerator.ts'
import { tpmProblem } from './qemu/tpm.ts'
import { Lanes } from './reconcile/lanes.ts'
import { Loop } from './reconcile/loop.ts'
import { scanReconciler } from './scans/reconcile.ts'
import { findSetting, keepSetting, putSetting } from './settings/store.ts'
import { snapshotCopyReconciler } from './snapshot-copies/reconcile.ts'
import { snapshotTierReconciler } from './snapshot-tiers/reconcile.ts'
import { snapshotReconciler } from './snapshots/reconcile.ts'
import { restoreImageReconciler } from './stored-images/reconcile/restore-image.ts'
import { storeImageReconciler } from './stored-images/reconcile/store-image.ts'
import { openCertificate } from './tls/certificate.ts'
import { modificationReconciler } from './volume-modifications/reconcile.ts'
import { Bases } from './volumes/bases.ts'
import { cipherUnder } from './volumes/disk-keys.ts'
import { volumeReconciler } from './volumes/reconcile.ts'
import { RateLimiter } from './wire/rate-limiter.ts'
import { loadServices } from './wire/codec.ts'

/** Whose images the starter images are. Tools know this account by its alias. */
const provider = { id: '100000000001', name: 'Imago', alias: 'amazon' }

/** Content that nothing names is not collected before this age. */
const garbageGraceMs = 60_000

export interface Imago {
  /** `http://127.0.0.1:4780` */
  readonly endpoint: string
  /** Of the certificate, where the API speaks TLS. */
  readonly fingerprint: string | undefined
  readonly rootKey: { readonly id: string; readonly secret: Secret }
  readonly accelerator: { readonly accelerator: Accelerator; readonly why: string }
  readonly db: Connections
  readonly loop: Loop
  /** The starter image that every installation has, as it is now. */
  findStarterImport(): Promise<Import | undefined>
  close(): Promise<void>
}

export interface Options {
  readonly config: Config
  readonly log: Log
  /** Where it is not the one in the data folder. */
  readonly masterKey?: Uint8Array
  /** For tests: another database than the folder's own. */
  readonly database?: Connections
  /** For tests: calls are recorded, and nothing is done about them. */
  readonly isIdle?: boolean
  /** For tests: no starter image is baked. */
  readonly hasNoStarter?: boolean
}

/** Opens the installation of a data folder and serves its API until it is closed. */
export async function openImago(options: Options): Promise<Imago> {
  const { config, log } = options
  const { dataFolder, regions } = config
  const now = () => new Date()
  const newId = <K extends Kind>(kind: K): Id<K> => formatId(kind, randomBytes(9))
  await using opened = new AsyncDisposableStack()

  const folder = (name: string) => join(dataFolder, name)
  await mkdir(dataFolder, { recursive: true, mode: 0o700 })
  opened.use(lockFolder(dataFolder))
  const db = options.database ?? openSqlite(folder('imago.db'))
  if (!options.database) opened.defer(() => db.close())
  await migrate(db.writes)
  const masterKey = await openMasterKey({
    path: folder('master-key'),
    given: options.masterKey,
    randomBytes,
    sample: (await findSealedMaterial(db.reads)) ?? (await findSealedSecret(db.reads)),
  })
  const rootKey = await prepareAccounts(db, config, { now: now(), masterKey })
  await transaction(db.writes, async (tx) => {
    for (const region of regions) {
      await ensureDefaultNetwork(tx, { accountId: config.accountId, region, newId, now: now() })
    }
  })
  const accelerator = await probeAccelerator(config.accelerator, { folder: dataFolder })

  const blockStore = await BlockStore.open({
    folder: folder('blocks'),
    now,
    graceMs: garbageGraceMs,
    log: (message, fields) => log.warn(message, fields),
  })
  opened.defer(() => blockStore.close())
  const buckets = new Buckets(folder('buckets'))
  const openKey = (arn: string) => openDiskKey(db.reads, arn, masterKey)
  const bases = new Bases({ folder: folder('bases'), blockStore, openDiskKey: openKey, log })
  const baseSocket = join(folder('served'), 'bases.sock')
  opened.use(await serveBases({ path: baseSocket, db: db.reads, bases, log }))
  const volumeFolder = (id: Id<'volume'>) => join(folder('volumes'), id)
  const lanes = new Lanes()
  const machines = new Machines(folder('run'), (id) => loop.note('instances', id))
  opened.defer(() => machines.close())
  const tokenKey = await keepSetting(db.writes, 'metadata-token-key', () =>
    randomBytes(32).toString('base64'),
  )
  const sealKey = await keepSetting(db.writes, 'seal-key', () => randomBytes(32).toString('base64'))
  const metadata = new MetadataService({
    db: db.reads,
    tokenKey: Buffer.from(tokenKey, 'base64'),
    credentials: new RoleCredentials({ sealer: masterKey, randomBytes }),
    now,
    log,
  })
  opened.defer(() => metadata.close())
  const guests = new GuestApi()
  const networks = new Networks({
    db: db.reads,
    runFolder: folder('run'),
    log,
    findMachinePid: (id) => machines.findPid(id),
    onSockets(vpcId, sockets) {
      metadata.serve(vpcId, sockets.metadata)
      guests.serve(vpcId, sockets.api)
    },
  })
  opened.defer(() => networks.close())

  const { uefiDictionaryFile } = config
  const uefiDictionary = uefiDictionaryFile ? await readFile(uefiDictionaryFile) : undefined
  const shared = { db, lanes, volumeFolder, openDiskKey: openKey, now, log }
  const feed = new EventFeed()
  const limits = { rules: config.outbound, bytesMax: config.importBytesMax }
  const closing = new AbortController()
  const reserve = new Reserve(config.dataFolder)
  const host = () => hostCapacity
  const launchReaders = { masterKey, randomBytes, tpmProblem, host }
  const reconcilers = [
    instanceReconciler({
      ...shared,
      rootFolder: (id) => join(folder('instance-disks'), id),
      bases,
      baseSocket,
      machines,
      networks,
      accelerator: accelerator.accelerator,
      uefiDictionary,
    }),
    volumeReconciler({ ...shared, bases }),
    modificationReconciler({ ...shared, bases }),
    baseReconciler({ db, bases, now, log, signal: closing.signal }),
    freezeReconciler(shared),
    snapshotReconciler({ ...shared, blockStore, bases }),
    snapshotCopyReconciler({ ...shared, blockStore }),
    snapshotTierReconciler({ db, now }),
    fastRestoreReconciler({ db, bases, now, log }),
    fastLaunchReconciler({ db, newId, randomBytes, now, log, readers: launchReaders }),
    imageReconciler(shared),
    scanReconciler({ ...shared, blockStore }),
    usageReportReconciler({ db, now }),
    storeImageReconciler({ ...shared, blockStore, buckets, signal: closing.signal }),
    restoreImageReconciler({ ...shared, blockStore, buckets, signal: closing.signal }),
    bundleReconciler({ db, blockStore, buckets, now, signal: closing.signal }),
    networkReconciler({ db, networks }),
    importReconciler({
      db,
      blockStore,
      workFolder: folder('work'),
      regions,
      limits,
      now,
      newId,
      signal: closing.signal,
    }),
    importTaskReconciler({
      db,
      blockStore,
      buckets,
      workFolder: folder('import-tasks'),
      openDiskKey: openKey,
      limits,
      now,
      newId,
      signal: closing.signal,
    }),
    directSnapshotReconciler({ ...shared, blockStore }),
    keyReconciler({ db, now }),
    declarativeReportReconciler({ db, buckets, regions, now }),
    accountReconciler({ db, now, newId, randomBytes, regions }),
    garbageReconciler({ db, blockStore, bases, reserve, now }),
    auditReconciler({ db, now, retention: config.auditRetention }),
    eventReconciler({ db, feed, newId: randomUUID }),
    deliveryReconciler({ db, sealer: masterKey, rules: limits.rules, now, signal: closing.signal }),
    launchReconciler({ db, now, days: config.launchDays }),
    eventRetentionReconciler({ db, now, retention: config.eventRetention }),
  ]
  const loop: Loop = new Loop(options.isIdle ? [] : reconcilers, {
    scanEveryMs: 1000,
    triesMax: 5,
    retryAfterMs: 250,
    isFinal: isKeyUnusable,
    onError: (where, error) => log.error('a step failed', { where, error }),
  })
  opened.defer(() => loop.stop())
  opened.defer(() => closing.abort())

  const onLost = (count: number, error: unknown) =>
    log.error('audit events were lost', { count, error })
  const audit = new AuditLog({ db: db.writes, newId: randomUUID, onLost })
  opened.defer(() => audit.flush())
  const system: System = {
    db,
    regions,
    audit,
    feed,
    now,
    log,
    randomBytes,
    services: loadServices(),
    newRequestId: randomUUID,
    changed: () => loop.wake(),
    contents: new BlockIntake(blockStore, (arn) => cipherUnder(arn, openKey)),
    sharedWrites: new SharedTransactions(db),
    reserve,
    limiter: new RateLimiter(config.callsPerSecond),
    readers: {
      masterKey,
      randomBytes,
      blocks: blockStore,
      seal: (text) => createHmac('sha256', sealKey).update(text).digest(),
      consoleOutput: (id, bytesMax) => machines.consoleOutput(id as Id<'instance'>, bytesMax),
      screenshot: (id, how) => machines.screenshot(id as Id<'instance'>, how),
      platform: async (manifest, keyArn) => {
        const disk = new StoredDisk(blockStore, manifest, () => cipherUnder(keyArn, openKey))
        return await findPlatform(disk).catch(() => undefined)
      },
      buckets,
      outbound: config.outbound,
      snapshotsApartMs: config.snapshotsApartMs,
      imageSizes: new StoredSizes((manifest) => blockStore.readKeys(manifest)),
      uefiVariables: (id) => machines.uefiVariables(id as Id<'instance'>),
      uefiDictionary,
      tpmKey: (id, type) => machines.tpmKey(id as Id<'instance'>, type),
      tpmProblem,
      baseProgress: (base) => bases.progress(base),
      host,
    },
  }
  const certificate = await openCertificate(config, folder('tls'), now())
  const server = createApiServer(system, certificate, (connection) => guests.vpcOf(connection))
  opened.defer(() => server.close())
  opened.defer(() => guests.close())
  const listening = await server.listen(config.listen)
  guests.open((request, response) => server.routing(request, response))
  const endpoint = certificate ? listening.replace(/^http:/, 'https:') : listening

  if (!options.hasNoStarter) await wishStarter(db, regions[0] ?? '', now())
  // Every running machine is looked at once: that is the whole crash recovery.
  for (const { id } of await listByState(db.reads, ['running', 'stopped'])) {
    loop.note('instances', id)
  }
  loop.start()

  const all = opened.move()
  return {
    endpoint,
    fingerprint: certificate?.fingerprint,
    rootKey,
    accelerator,
    db,
    loop,
    findStarterImport: async () => (await listCatalogImports(db.reads, starter.name))[0],
    close: () => all.disposeAsync(),
  }
}

const starter = recipes.tiny

/** What machines can have of the host: a part of its memory is its own. */
const hostCapacity = {
  vcpus: availableParallelism(),
  memoryMiB: Math.floor((totalmem() / 2 ** 20) * 0.9),
  architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
} as const

/** The account of the installation with its administrator, and the provider's account. */
async function prepareAccounts(
  db: Connections,
  config: Config,
  { now, masterKey }: { readonly now: Date; readonly masterKey: Sealer },
): Promise<Imago['rootKey']> {
  const { accountId } = config
  return await transaction(db.writes, async (tx) => {
    await insertAccount(tx, { id: accountId, name: 'default', alias: undefined }, now)
    await insertAccount(tx, provider, now)
    const kept = await findSetting(tx, 'root-access-key-id')
    const known = kept === undefined ? undefined : await findAccessKey(tx, kept, masterKey)
    const made = config.rootKey ??
      known ?? {
        id: `AKIA${base32(randomBytes(10))}`,
        secret: new Secret(randomBytes(30).toString('base64')),
      }
    const admin = {
      accountId,
      arn: `arn:aws:iam::${accountId}:user/admin`,
      userId: known?.caller.userId ?? `AIDA${base32(randomBytes(10))}`,
      policies: [{ effect: 'Allow', actions: ['*'], resources: ['*'] }],
    } as const
    const caller = config.rootKey ? admin : (known?.caller ?? admin)
    // Also to seal what an older version kept in plain.
    await putAccessKey(tx, { id: made.id, secret: made.secret, caller }, now, masterKey)
    await putSetting(tx, 'root-access-key-id', made.id)
    return { id: made.id, secret: made.secret }
  })
}

function base32(bytes: Uint8Array): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const groups = bits.match(/.{5}/g) ?? []
  return groups.map((group) => letters[Number.parseInt(group, 2)]).join('')
}

/** Has the starter image baked where there is none, and where baking it failed before. */
async function wishStarter(db: Connections, region: string, now: Date): Promise<void> {
  await transaction(db.writes, async (tx) => {
    const [latest] = await listCatalogImports(tx, starter.name)
    if (latest && latest.state !== 'error') return
    const made = { accountId: provider.id, region, now, random: randomBytes(8) }
    await insertImport(tx, catalogImport(starter, made))
  })
}
