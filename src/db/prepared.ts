/**
 * Queries that come with each of very many calls. To put one together takes several times as
 * long as to run it, so that is done once; each call fills in its values.
 */
import type { Compilable, CompiledQuery, QueryResult } from 'kysely'
import type { Database } from './database.ts'

/** Stands in a query for a value that is still to come. */
class Mark {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/**
 * `build` is called once for each connection, with marks in the place of values: it may put
 * them where a query takes a value, and may do nothing else with them.
 */
export function prepared<Values extends object, Row>(
  build: (db: Database, values: Values) => Compilable<Row>,
): (db: Database, values: Values) => Promise<QueryResult<Row>> {
  // A transaction has the adapter of the connection that it is on.
  const made = new WeakMap<object, CompiledQuery<Row>>()
  const marks = new Proxy({} as Values, { get: (_target, name) => new Mark(String(name)) })
  return async (db, values) => {
    const { adapter } = db.getExecutor()
    const query = made.get(adapter) ?? build(db, marks).compile()
    made.set(adapter, query)
    const parameters = query.parameters.map((parameter) =>
      parameter instanceof Mark ? values[parameter.name as keyof Values] : parameter,
    )
    return await db.executeQuery({ ...query, parameters })
  }
}
