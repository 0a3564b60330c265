/** Serves machines the bases that are not whole: all that something lies over, by the names of their files. */
import type { Database } from '../db/database.ts'
import type { Log } from '../lib/log.ts'
import { NbdServer } from '../nbd/server.ts'
import { baseName } from '../qemu/base-files.ts'
import type { Bases } from '../volumes/bases.ts'
import { listBaseSources } from '../volumes/base-sources.ts'

export async function serveBases({
  path,
  db,
  bases,
  log,
}: {
  readonly path: string
  readonly db: Database
  readonly bases: Pick<Bases, 'open'>
  readonly log: Log
}): Promise<NbdServer> {
  return await NbdServer.listen({
    path,
    async open(name) {
      const sources = await listBaseSources(db)
      const source = sources.find(({ base }) => baseName(base) === name)
      return source && (await bases.open(source))
    },
    onError: (error) => log.error('a base cannot be served', { error }),
  })
}
