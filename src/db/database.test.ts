import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { databases } from '../../test/databases.ts'
import { type Database, migrate, transaction } from './database.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './schema.ts'

/** Each table of the typed schema, so that one that only the types know is found out. */
const tables = {
  access_keys: true,
  account_creations: true,
  accounts: true,
  advisories: true,
  audit_events: true,
  audit_resources: true,
  audit_trails: true,
  client_tokens: true,
  declarative_reports: true,
  declared_settings: true,
  direct_blocks: true,
  direct_snapshots: true,
  event_deliveries: true,
  event_subscriptions: true,
  events: true,
  fast_launch_images: true,
  fast_launch_reserves: true,
  fast_restores: true,
  disk_keys: true,
  disk_scans: true,
  encryption_settings: true,
  freezes: true,
  iam_attachments: true,
  iam_entities: true,
  iam_inline_policies: true,
  iam_members: true,
  iam_policies: true,
  iam_policy_versions: true,
  iam_roles: true,
  iam_login_profiles: true,
  iam_tags: true,
  iam_user_keys: true,
  image_bundles: true,
  image_permissions: true,
  image_restores: true,
  image_settings: true,
  image_snapshots: true,
  image_store_tasks: true,
  image_uefi_data: true,
  image_usage_entries: true,
  image_usage_reports: true,
  image_watermarks: true,
  images: true,
  import_tasks: true,
  imports: true,
  instance_profile_associations: true,
  instance_roots: true,
  instances: true,
  key_pairs: true,
  kms_aliases: true,
  kms_keys: true,
  kms_materials: true,
  launch_roots: true,
  launches: true,
  network_interface_groups: true,
  network_interfaces: true,
  organization_accounts: true,
  organization_delegations: true,
  organization_policies: true,
  organization_policy_attachments: true,
  organization_policy_types: true,
  organization_services: true,
  organization_tags: true,
  organizational_units: true,
  organizations: true,
  retention_rules: true,
  parameter_versions: true,
  parameters: true,
  security_group_rules: true,
  security_groups: true,
  settings: true,
  snapshot_copies: true,
  snapshot_locks: true,
  snapshot_permissions: true,
  snapshot_settings: true,
  snapshot_tiers: true,
  snapshots: true,
  state_changes: true,
  subnets: true,
  tags: true,
  replace_root_volume_tasks: true,
  volume_attachments: true,
  volume_modifications: true,
  volumes: true,
  vpcs: true,
} satisfies Record<keyof Tables, true>

for (const [name, start] of Object.entries(databases)) {
  test(`the migrations make every table that the queries know (${name})`, async (context) => {
    const { writes } = await start(context)
    const made = await writes.introspection.getTables()
    const names = made.map((table) => table.name).filter((table) => table !== 'migrations')
    assert.deepEqual(names.sort(), Object.keys(tables).sort())
  })

  test(`migrating again changes nothing (${name})`, async (context) => {
    const { writes } = await start(context)
    await writes.insertInto('settings').values({ name: 'a', value: 'b' }).execute()
    await migrate(writes)
    const rows = await writes.selectFrom('settings').selectAll().execute()
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      [{ name: 'a', value: 'b' }],
    )
  })

  test(`what throws in a transaction leaves nothing behind (${name})`, async (context) => {
    const { writes, reads } = await start(context)
    const failing = transaction(writes, async (tx) => {
      await tx.insertInto('settings').values({ name: 'a', value: 'b' }).execute()
      throw new Error('on purpose')
    })
    await assert.rejects(failing, /on purpose/)
    assert.deepEqual(await reads.selectFrom('settings').selectAll().execute(), [])
  })

  test(`images that were there before they could be disabled stay as they were (${name})`, async (context) => {
    const { writes } = await start(context)
    await dropAll(writes)
    const change = migrations.indexOf('DROP INDEX images_by_name')
    for (const step of migrations.slice(0, change)) await sql.raw(step).execute(writes)
    const state = 'deregistered'
    await sql`INSERT INTO images (id, account_id, region, name, location, state, created_at_ms,
      architecture, root_device_name, root_device_type, virtualization_type, platform_details,
      usage_operation, ena_support, is_public, block_devices)
      VALUES ('ami-00000001', '1', 'r', 'n', 'l', ${state}, 1, 'a', 'd', 'ebs', 'hvm', 'p', 'u', 1, 0, '[]')`.execute(
      writes,
    )
    for (const step of migrations.slice(change)) await sql.raw(step).execute(writes)
    const [row] = await writes.selectFrom('images').selectAll().execute()
    assert.deepEqual([row?.state, row?.protection, row?.is_public], [state, 'disabled', 0])
  })

  test(`parameters that were there before there were secrets stay as they were (${name})`, async (context) => {
    const { writes } = await start(context)
    await dropAll(writes)
    const change = migrations.findIndex((step) => step.startsWith('CREATE TABLE secured_versions'))
    for (const step of migrations.slice(0, change)) await sql.raw(step).execute(writes)
    await sql`INSERT INTO parameters (account_id, region, name, latest_version, tags)
      VALUES ('1', 'r', '/a', 1, '[]')`.execute(writes)
    await sql`INSERT INTO parameter_versions (account_id, region, name, version, type, data_type,
      tier, value, labels, modified_at_ms, modified_by)
      VALUES ('1', 'r', '/a', 1, 'StringList', 'text', 'Standard', 'x,y', '["l"]', 5, 'm')`.execute(
      writes,
    )
    for (const step of migrations.slice(change)) await sql.raw(step).execute(writes)
    const [row] = await writes.selectFrom('parameter_versions').selectAll().execute()
    assert.deepEqual(
      [row?.type, row?.tier, row?.value, row?.key_id, row?.labels, row?.modified_at_ms],
      ['StringList', 'Standard', 'x,y', null, '["l"]', 5],
    )
  })

  test(`a database of a newer version is refused (${name})`, async (context) => {
    const { writes } = await start(context)
    await sql`INSERT INTO migrations (step) VALUES (9999)`.execute(writes)
    await assert.rejects(migrate(writes), /newer version/)
  })
}

/** Drops every table, those that others refer to after these. */
async function dropAll(db: Database): Promise<void> {
  for (;;) {
    const tablesLeft = await db.introspection.getTables()
    if (tablesLeft.length === 0) return
    for (const table of tablesLeft) {
      await sql`DROP TABLE ${sql.table(table.name)}`.execute(db).catch(() => {})
    }
  }
}
