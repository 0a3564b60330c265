/**
 * Changes of state, noted by the database itself in the transaction that makes them: no
 * way to change a state leads past it. Who tells of them takes them from `state_changes`.
 * These are triggers; the two databases have other words for the same.
 */
import { PostgresAdapter, sql } from 'kysely'
import { createHash } from 'node:crypto'
import type { Database } from './database.ts'

interface Watched {
  readonly table: string
  readonly on:
    | 'INSERT'
    | 'UPDATE OF state'
    | 'UPDATE OF progress'
    | 'UPDATE OF public_access'
    | 'DELETE'
  readonly when?: string
  /** What has changed: expressions over `NEW` and `OLD`. */
  readonly kind: string
  readonly id: string
  readonly account?: string
  readonly region?: string
  readonly state: string
  /** What has to be told with it and may be gone by then. */
  readonly facts?: Readonly<Record<string, string>>
}

const isNews = 'NEW.state <> OLD.state'

const imageFacts = {
  message: 'NEW.state_reason_message',
  sharedWith: `(SELECT string_agg(grantee, ',') FROM image_permissions
    WHERE image_id = NEW.id AND kind = 'user')`,
}
const copyFact = (column: string) =>
  `(SELECT ${column} FROM snapshot_copies WHERE snapshot_id = NEW.id)`
const snapshotFacts = {
  message: 'NEW.state_message',
  volumeId: 'NEW.volume_id',
  startedAtMs: 'NEW.started_at_ms',
  sourceId: copyFact('source_snapshot_id'),
  sourceRegion: copyFact('source_region'),
  completionMinutes: copyFact('completion_minutes'),
  fullBytes: 'NEW.full_size_bytes',
  addedBytes: 'NEW.added_bytes',
  freezeId: 'NEW.freeze_id',
}
const ended = `NEW.state IN ('completed', 'error') AND NEW.copy_volume_id IS NULL`
const ofVolume = (column: string) => `(SELECT ${column} FROM volumes WHERE id = NEW.volume_id)`
const attachment = {
  table: 'volume_attachments',
  kind: 'attachment',
  id: 'NEW.volume_id',
  account: ofVolume('account_id'),
  region: ofVolume('region'),
  state: 'NEW.state',
  facts: { instanceId: 'NEW.instance_id' },
} as const
const own = { account: 'NEW.account_id', region: 'NEW.region', state: 'NEW.state' } as const
const image = { table: 'images', kind: 'image', id: 'NEW.id', ...own, facts: imageFacts } as const
const snapshot = {
  table: 'snapshots',
  kind: 'snapshot',
  id: 'NEW.id',
  ...own,
  facts: snapshotFacts,
} as const
const volume = { table: 'volumes', kind: 'volume', id: 'NEW.id', ...own } as const
const volumeFacts = { message: 'NEW.state_message', kmsKeyArn: 'NEW.kms_key_id' }
const modification = {
  table: 'volume_modifications',
  kind: 'modification',
  id: 'NEW.volume_id',
  ...own,
  facts: { message: 'NEW.message' },
} as const
const instance = { table: 'instances', kind: 'instance', id: 'NEW.id', ...own } as const
const fastLaunch = {
  table: 'fast_launch_images',
  kind: 'fast-launch',
  id: 'NEW.image_id',
  ...own,
  facts: { reason: 'NEW.reason' },
} as const

const ofSnapshot = (column: string) =>
  `(SELECT ${column} FROM snapshots WHERE id = NEW.snapshot_id)`
const fastRestore = {
  table: 'fast_restores',
  kind: 'fast-restore',
  id: 'NEW.snapshot_id',
  ...own,
  facts: { zone: 'NEW.zone', reason: 'NEW.reason' },
} as const
const publicAccess = {
  table: 'snapshot_settings',
  kind: 'public-access',
  id: 'NEW.account_id',
  ...own,
  state: 'NEW.public_access',
} as const

const watched: readonly Watched[] = [
  { ...image, on: 'INSERT', when: `NEW.state <> 'pending'` },
  // What has left for the Recycle Bin has been told of as gone.
  {
    ...image,
    on: 'UPDATE OF state',
    when: `${isNews} AND NEW.state <> 'pending'
      AND NOT (OLD.state = 'recycled' AND NEW.state = 'deregistered')`,
  },
  { ...snapshot, on: 'INSERT', when: ended },
  { ...snapshot, on: 'UPDATE OF state', when: `${isNews} AND ${ended}` },
  {
    ...volume,
    on: 'INSERT',
    when: `NEW.state IN ('available', 'in-use')`,
    state: `'created'`,
    facts: volumeFacts,
  },
  {
    ...volume,
    on: 'UPDATE OF state',
    when: `OLD.state = 'creating' AND NEW.state IN ('available', 'in-use')`,
    state: `'created'`,
    facts: volumeFacts,
  },
  {
    ...volume,
    on: 'UPDATE OF state',
    when: `OLD.state = 'creating' AND NEW.state = 'error'`,
    state: `'failed'`,
    facts: volumeFacts,
  },
  {
    ...volume,
    on: 'DELETE',
    id: 'OLD.id',
    account: 'OLD.account_id',
    region: 'OLD.region',
    state: `'deleted'`,
  },
  { ...attachment, on: 'INSERT', when: `NEW.state = 'attached'` },
  {
    ...attachment,
    on: 'UPDATE OF state',
    when: `OLD.state = 'attaching' AND NEW.state = 'attached'`,
  },
  {
    ...attachment,
    on: 'UPDATE OF state',
    when: `OLD.state = 'attaching' AND NEW.state = 'detaching' AND NEW.failure IS NOT NULL`,
    state: `'failed'`,
    facts: { message: 'NEW.failure', kmsKeyArn: ofVolume('kms_key_id') },
  },
  { ...modification, on: 'UPDATE OF state', when: isNews },
  { ...instance, on: 'INSERT' },
  { ...instance, on: 'UPDATE OF state', when: isNews },
  {
    table: 'snapshot_permissions',
    on: 'INSERT',
    when: `NEW.grantee <> 'all'`,
    kind: 'share',
    id: 'NEW.snapshot_id',
    account: 'NEW.grantee',
    region: ofSnapshot('region'),
    state: `'shared'`,
    facts: { owner: ofSnapshot('account_id') },
  },
  { ...fastLaunch, on: 'INSERT' },
  { ...fastLaunch, on: 'UPDATE OF state', when: isNews },
  {
    table: 'snapshot_tiers',
    on: 'UPDATE OF progress',
    // One that was there for some days goes back without being on its way.
    when: `NEW.progress <> 'in-progress'
      AND (OLD.progress = 'in-progress' OR OLD.operation <> NEW.operation)`,
    kind: 'tier',
    id: 'NEW.snapshot_id',
    account: ofSnapshot('account_id'),
    region: ofSnapshot('region'),
    state: 'NEW.progress',
    facts: {
      operation: 'NEW.operation',
      wasThere: `CASE WHEN OLD.progress = 'in-progress' THEN 0 ELSE 1 END`,
      message: 'NEW.detail',
      startedAtMs: 'NEW.started_at_ms',
      restoreExpiresAtMs: ofSnapshot('restore_expires_at_ms'),
    },
  },
  { ...fastRestore, on: 'INSERT' },
  { ...fastRestore, on: 'UPDATE OF state', when: isNews },
  // They go with their snapshot, and when that is archived.
  {
    ...fastRestore,
    on: 'DELETE',
    when: `OLD.state <> 'disabled'`,
    id: 'OLD.snapshot_id',
    account: 'OLD.account_id',
    region: 'OLD.region',
    state: `'gone'`,
    facts: { zone: 'OLD.zone' },
  },
  { ...publicAccess, on: 'INSERT', when: `NEW.public_access <> 'unblocked'` },
  {
    ...publicAccess,
    on: 'UPDATE OF public_access',
    when: 'NEW.public_access <> OLD.public_access',
  },
]

interface Trigger {
  /** Begins with `note_` and ends with a digest of what it does. */
  readonly name: string
  readonly table: string
  readonly statements: readonly string[]
}

const isPostgres = (db: Database) => db.getExecutor().adapter instanceof PostgresAdapter

function triggerOf(one: Watched, index: number, postgres: boolean): Trigger {
  const { table, on, when } = one
  const body = insertOf(one, postgres)
  const condition = when === undefined ? '' : `WHEN (${when})`
  const digest = createHash('sha256').update(`${condition}${body}`).digest('hex').slice(0, 12)
  const name = `note_${index}_${table}_${digest}`
  const head = `CREATE TRIGGER ${name} AFTER ${on} ON ${table} FOR EACH ROW ${condition}`
  if (!postgres) return { name, table, statements: [`${head} BEGIN ${body}; END`] }
  return {
    name,
    table,
    statements: [
      `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS
        $body$ BEGIN ${body}; RETURN NULL; END $body$`,
      `${head} EXECUTE FUNCTION ${name}()`,
    ],
  }
}

function insertOf(one: Watched, postgres: boolean): string {
  const { kind, id, account = 'NEW.account_id', region = 'NEW.region', state, facts = {} } = one
  const pairs = Object.entries(facts).map(([name, value]) => `'${name}', ${value}`)
  // A row that is committed later has a higher number only among those of one resource, and
  // that is enough: whoever changes it holds its row.
  const [sequence, object, now] = postgres
    ? [
        `nextval('state_changes_sequence')`,
        `json_build_object(${pairs.join(', ')})::text`,
        `(extract(epoch FROM clock_timestamp()) * 1000)::bigint`,
      ]
    : [
        '(SELECT COALESCE(MAX(sequence), 0) + 1 FROM state_changes)',
        `json_object(${pairs.join(', ')})`,
        `CAST(unixepoch('subsec') * 1000 AS INTEGER)`,
      ]
  return `INSERT INTO state_changes
    (sequence, kind, resource_id, account_id, region, state, facts, at_ms)
    VALUES (${sequence}, '${kind}', ${id}, ${account}, ${region}, ${state}, ${object}, ${now})`
}

/** Has the changes of states noted from now on, as this version of the program does. */
export async function watchStates(db: Database): Promise<void> {
  const postgres = isPostgres(db)
  const wanted = watched.map((one, index) => triggerOf(one, index, postgres))
  const names = (await listWatchers(db)).map(({ name }) => name).sort()
  if (
    names.join() ===
    wanted
      .map(({ name }) => name)
      .sort()
      .join()
  )
    return
  await unwatchStates(db)
  if (postgres) await sql`CREATE SEQUENCE IF NOT EXISTS state_changes_sequence`.execute(db)
  for (const { statements } of wanted) {
    for (const statement of statements) await sql.raw(statement).execute(db)
  }
}

/** So that tables can be made anew. */
export async function unwatchStates(db: Database): Promise<void> {
  const postgres = isPostgres(db)
  for (const { name, table } of await listWatchers(db)) {
    if (!postgres) await sql`DROP TRIGGER ${sql.id(name)}`.execute(db)
    else {
      await sql`DROP TRIGGER ${sql.id(name)} ON ${sql.id(table)}`.execute(db)
      await sql`DROP FUNCTION ${sql.id(name)}()`.execute(db)
    }
  }
}

async function listWatchers(db: Database): Promise<readonly Omit<Trigger, 'statements'>[]> {
  const query = isPostgres(db)
    ? sql<Omit<Trigger, 'statements'>>`
        SELECT t.tgname AS name, c.relname AS "table" FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgname LIKE 'note~_%' ESCAPE '~'`
    : sql<Omit<Trigger, 'statements'>>`
        SELECT name, tbl_name AS "table" FROM sqlite_master
        WHERE type = 'trigger' AND name LIKE 'note~_%' ESCAPE '~'`
  return (await query.execute(db)).rows
}
