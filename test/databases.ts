/** The databases that every test of a store runs on: both that we support, for real. */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { type Connections, migrate, openPostgres, openSqlite } from '../src/db/database.ts'

export type Start = (context: Pick<TestContext, 'after'>) => Promise<Connections>

export const databases = {
  sqlite: startSqlite,
  postgres: startPostgres,
} satisfies Record<string, Start>

async function startSqlite(context: Pick<TestContext, 'after'>): Promise<Connections> {
  const directory = await mkdtemp(join(tmpdir(), 'imago-sqlite-'))
  const connections = openSqlite(join(directory, 'imago.db'))
  context.after(async () => {
    await connections.close()
    await rm(directory, { recursive: true })
  })
  await migrate(connections.writes)
  return connections
}

/** One server for all tests of a file, and a database of its own for each test. */
let server: Promise<string> | undefined
let stopServer = async () => {}
after(() => stopServer())

async function startPostgres(context: Pick<TestContext, 'after'>): Promise<Connections> {
  server ??= startServer()
  const directory = await server
  const name = `imago_${randomBytes(6).toString('hex')}`
  const admin = openPostgres(`postgres://imago@/postgres?host=${directory}`)
  await sql`CREATE DATABASE ${sql.id(name)}`.execute(admin.writes)
  await admin.close()
  const connections = openPostgres(`postgres://imago@/${name}?host=${directory}`)
  context.after(() => connections.close())
  await migrate(connections.writes)
  return connections
}

async function startServer(): Promise<string> {
  const bin = await findPostgres()
  const directory = await mkdtemp(join(tmpdir(), 'imago-pg-'))
  // PostgreSQL refuses to run as root.
  const isRoot = process.getuid?.() === 0
  const owner = isRoot ? Number(spawnSync('id', ['-u', 'postgres']).stdout.toString()) : undefined
  if (owner !== undefined) await chown(directory, owner, owner)
  const as = { cwd: directory, ...(owner === undefined ? {} : { uid: owner }) }
  const data = join(directory, 'data')
  const initialised = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-A', 'trust', '-U', 'imago', '--no-sync'],
    as,
  )
  if (initialised.status !== 0) throw new Error(String(initialised.stderr))
  const options = ['-c', 'listen_addresses=', '-c', 'fsync=off']
  const postgres = spawn(join(bin, 'postgres'), ['-D', data, '-k', directory, ...options], {
    ...as,
    stdio: 'ignore',
  })
  stopServer = async () => {
    postgres.kill('SIGINT')
    await once(postgres, 'exit')
    await rm(directory, { recursive: true })
  }
  for (let tries = 0; ; tries++) {
    const admin = openPostgres(`postgres://imago@/postgres?host=${directory}`)
    try {
      await sql`SELECT 1`.execute(admin.writes)
      return directory
    } catch (error) {
      if (tries === 200) throw error
      await sleep(50)
    } finally {
      await admin.close()
    }
  }
}

/** Debian keeps the server's programs off the path, in a folder for each version. */
async function findPostgres(): Promise<string> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => [])
  const newest = versions.sort((a, b) => Number(a) - Number(b)).at(-1)
  if (!newest) throw new Error('Cannot find PostgreSQL: apt-get install postgresql')
  return `/usr/lib/postgresql/${newest}/bin`
}
