/**
 * The calls around images where there are 100,000 of them, of 1,000 accounts in one
 * Region: what a page of them takes by each way of looking, and what a change takes.
 * Nothing else has this much to compare with; the goals are p99 under 50 ms and 10 ms.
 */
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { importImage, makeBlankDisk, scratchFolder } from './disks.ts'
import { printTable, quantile, short, timed } from './figures.ts'
import { elementOf, type SignedClient } from './signed-client.ts'
import { startService } from './start-service.ts'

const imagesCount = 100_000
const accountsCount = 1000
const pageSize = 100
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 300)
const warmUps = 30

/** What each of the accounts has of its hundred images. */
const publicEach = 5
const sharedEach = 20

export async function benchImages(): Promise<void> {
  await using folder = await scratchFolder()
  const data = join(folder.path, 'imago')
  await mkdir(data)
  await using service = await startService(data)
  const { client } = service
  const model = await importImage(client, await makeBlankDisk(join(folder.path, 'b.raw'), 2 ** 20))
  const described = await client.ec2('DescribeImages', { 'ImageId.1': model })
  const self = elementOf(described, 'imageOwnerId')
  await client.ec2('DisableImageBlockPublicAccess')
  fill(join(data, 'imago.db'), model, self)

  const page = (parameters: Readonly<Record<string, string>>) => async (): Promise<number> => {
    let text = ''
    const ms = await timed(async () => {
      text = await client.ec2('DescribeImages', { MaxResults: pageSize, ...parameters })
    })
    assert(/<imageId>/.test(text), `nothing by ${JSON.stringify(parameters)}`)
    return ms
  }
  const by = (Name: string, value: string) => ({
    'Filter.1.Name': Name,
    'Filter.1.Value.1': value,
  })
  const rows = [['ms a call', 'p50', 'p99', 'goal']]
  const add = async (name: string, goal: number, call: (round: number) => Promise<number>) => {
    const figures: number[] = []
    for (let round = -warmUps; round < rounds; round++) {
      const ms = await call(round + warmUps)
      if (round >= 0) figures.push(ms)
    }
    rows.push([name, short(quantile(figures, 0.5)), short(quantile(figures, 0.99)), `< ${goal}`])
  }

  await add('a page of all that there is to see', 50, page({}))
  await add('by tag', 50, page(by('tag:Stage', 'live')))
  await add('by tag key', 50, page(by('tag-key', 'Stage')))
  await add('by exact name', 50, page(by('name', nameOf(7, 3))))
  await add('by the beginning of a name', 50, page(by('name', 'web/00*')))
  await add('by the middle of a name', 50, page(by('name', '*7/0*')))
  await add('by owner: self', 50, page({ 'Owner.1': 'self' }))
  await add('by owner: another', 50, page({ 'Owner.1': accountOf(7) }))
  await add('by owner, as a filter', 50, page(by('owner-id', accountOf(7))))
  await add('by visibility: executable by self', 50, page({ 'ExecutableBy.1': 'self' }))
  await add('by visibility: executable by all', 50, page({ 'ExecutableBy.1': 'all' }))
  await add('by visibility: is-public', 50, page(by('is-public', 'true')))
  await add('by what no index knows: architecture', 50, page(by('architecture', 'x86_64')))
  await changes(client, add)

  console.log(`${imagesCount} images of ${accountsCount} accounts, pages of ${pageSize}\n`)
  printTable(rows)
}

/** Each round takes another of the caller's own images. */
async function changes(
  client: SignedClient,
  add: (name: string, goal: number, call: (round: number) => Promise<number>) => Promise<void>,
): Promise<void> {
  const own = (round: number) => imageOf(0, publicEach + (round % (perAccount - publicEach)))
  const change =
    (action: string, parameters: Readonly<Record<string, string>> = {}) =>
    (round: number): Promise<number> =>
      timed(() => client.ec2(action, { ImageId: own(round), ...parameters }))
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
  await add(
    'ModifyImageAttribute launchPermission',
    10,
    change('ModifyImageAttribute', { 'LaunchPermission.Add.1.UserId': accountOf(9) }),
  )
  await add(
    'EnableImageDeprecation',
    10,
    change('EnableImageDeprecation', { DeprecateAt: tomorrow }),
  )
  await add('DisableImage', 10, change('DisableImage'))
  await add('EnableImage', 10, change('EnableImage'))
  await add('CreateTags', 10, (round) =>
    timed(() =>
      client.ec2('CreateTags', {
        'ResourceId.1': own(round),
        'Tag.1.Key': 'Round',
        'Tag.1.Value': round,
      }),
    ),
  )
}

const perAccount = imagesCount / accountsCount
const accountOf = (number: number): string => String(400_000_000_000 + number)
const nameOf = (account: number, number: number): string =>
  `web/${String(account).padStart(4, '0')}/${String(number).padStart(3, '0')}`
const imageOf = (account: number, number: number): string =>
  `ami-${(account * perAccount + number + 4096).toString(16).padStart(17, '0')}`

/**
 * Copies a registered image in the tables themselves. The first account is the
 * caller's; of each some are public, and some are shared with the next account.
 */
function fill(path: string, model: string, self: string): void {
  const db = new DatabaseSync(path, { timeout: 10_000 })
  try {
    const columns = db.prepare('SELECT name FROM pragma_table_info(?)').all('images')
    const names = columns.map(({ name }) => String(name))
    const owner = `CASE account WHEN 0 THEN '${self}' ELSE CAST(400000000000 + account AS TEXT) END`
    const id = `'ami-' || printf('%017x', numbers.value + 4096)`
    const name = `printf('web/%04d/%03d', account, number)`
    const changed: Readonly<Record<string, string>> = {
      id,
      account_id: owner,
      name,
      location: `${owner} || '/' || ${name}`,
      is_public: `number < ${publicEach}`,
    }
    const numbers = `WITH RECURSIVE counted(value) AS (
        SELECT 0 UNION ALL SELECT value + 1 FROM counted WHERE value < ${imagesCount - 1}
      ), numbers AS (
        SELECT value, value / ${perAccount} AS account, value % ${perAccount} AS number FROM counted
      )`
    db.exec('BEGIN IMMEDIATE')
    db.exec(`INSERT INTO accounts (id, name, created_at_ms) ${numbers}
      SELECT ${owner}, 'bench', 0 FROM numbers WHERE number = 0 AND account > 0`)
    db.exec(`INSERT INTO images (${names.join()}) ${numbers}
      SELECT ${names.map((one) => changed[one] ?? one).join()} FROM numbers,
        (SELECT ${names.map((one) => (changed[one] ? `${one} AS old_${one}` : one)).join()}
         FROM images WHERE id = '${model}')`)
    db.exec(`INSERT INTO image_snapshots (image_id, snapshot_id) ${numbers}
      SELECT ${id}, snapshot_id FROM numbers, image_snapshots WHERE image_id = '${model}'`)
    db.exec(`INSERT INTO image_permissions (image_id, kind, grantee) ${numbers}
      SELECT ${id}, 'group', 'all' FROM numbers WHERE number < ${publicEach}`)
    // What the last one shares, the first one is given.
    db.exec(`INSERT INTO image_permissions (image_id, kind, grantee) ${numbers}
      SELECT ${id}, 'user', CASE account + 1 WHEN ${accountsCount} THEN '${self}'
        ELSE CAST(400000000001 + account AS TEXT) END
      FROM numbers WHERE number >= ${publicEach} AND number < ${publicEach + sharedEach}`)
    db.exec(`INSERT INTO tags (account_id, region, resource_id, resource_type, key, value) ${numbers}
      SELECT ${owner}, 'us-east-1', ${id}, 'image', 'Stage',
        CASE number % 4 WHEN 0 THEN 'live' ELSE 'test' END FROM numbers`)
    // They are meant to have been there for long: nobody is owed an event of each.
    db.exec('DELETE FROM state_changes')
    db.exec('COMMIT')
  } finally {
    db.close()
  }
}
