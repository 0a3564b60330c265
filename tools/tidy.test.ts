/**
 * The rules of the house that no compiler knows. Each says what it found, where,
 * and what to do instead. A rule has a test of its own below, and so has this
 * file's place in `npm test`: it is the linter, and there is no other config.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

interface Source {
  readonly path: string
  readonly lines: readonly string[]
  readonly imports: readonly string[]
  /** What it imports from elsewhere, types apart. */
  readonly packages: readonly string[]
}

/** Where a thing may be used, and what to use everywhere else. */
const bans: readonly { pattern: RegExp; allowed: RegExp; instead: string }[] = [
  {
    pattern: /\bDate\.now\(|new Date\(\)/,
    allowed: /^src\/main\.ts$|^src\/cli\/|\.test\.ts$|^test\/|^bench\/|\/testing\.ts$/,
    instead: 'the clock you were given',
  },
  { pattern: /\bMath\.random\(/, allowed: /^bench\//, instead: 'the random bytes you were given' },
  {
    pattern: /\bprocess\.env\b/,
    allowed: /^src\/config\.ts$|^src\/cli\/|^test\/|^bench\/|\.test\.ts$/,
    instead: 'the config',
  },
  {
    pattern: /['"]node:child_process['"]/,
    allowed: /^src\/(qemu|vpc|catalog|cli)\/|\.test\.ts$|^test\/|^bench\/|\/testing\.ts$/,
    instead: 'src/qemu or src/vpc',
  },
  {
    pattern: /['"]node:fs(\/promises)?['"]/,
    allowed:
      /^src\/(main|config)\.ts$|^src\/(qemu|vpc|catalog|nbd|block-store|buckets|db|cli|checker|imports|tls)\/|^src\/volumes\/bases\.ts$|^src\/instances\/(machines|reconcile\/.*)\.ts$|\.test\.ts$|^test\/|^bench\/|^tools\//,
    instead: 'a mechanism that has files',
  },
  {
    pattern: /^import (?!type ).*['"]@aws-sdk\//,
    allowed: /\.test\.ts$|^test\/|^bench\/|^tools\//,
    instead: 'the types alone: the package costs 300 ms and 75 MB',
  },
  { pattern: /\bas any\b|: any\b/, allowed: /^$/, instead: 'unknown, and a check' },
  {
    pattern: /\b(FIXME|XXX|TODO|console\.debug)\b/,
    allowed: /^tools\/tidy\.test\.ts$/,
    instead: 'a commit without it',
  },
]

/**
 * The kinds of file, in rows from the top down. A file imports from the rows
 * below its own anywhere, and from its own row only within its folder - or
 * anywhere, where the row has `peers` (that they make no circle is for the
 * linter to see).
 */
const rows: readonly { name: string; is: RegExp; peers?: true }[] = [
  { name: 'client', is: /^src\/cli\//, peers: true },
  { name: 'composition', is: /^src\/[^/]+\.ts$/, peers: true },
  {
    name: 'edge',
    is: /^src\/(imds\/service|[^/]+\/(operations\/[^/]+|reconcile|reconcile\/[^/]+))\.ts$/,
  },
  { name: 'verb or view', is: /^src\/(?!cli\/)[^/]+\/[^/]+\.ts$/, peers: true },
  { name: 'store', is: /^src\/[^/]+\/([^/]+-)?store\.ts$/ },
  {
    name: 'mechanism',
    is: /^src\/(wire|db|tls|outbound|qemu|vpc|catalog|nbd|block-store|buckets|reconcile)\/[^/]+\.ts$/,
    peers: true,
  },
  { name: 'noun', is: /^$/, peers: true },
  { name: 'lib', is: /^src\/lib\//, peers: true },
]

const verb = rows.findIndex(({ name }) => name === 'verb or view')
const noun = rows.findIndex(({ name }) => name === 'noun')

/** Files of a domain that know nothing but other nouns and `lib/`: they can do no I/O. */
const nouns = new Set<string>()

/** The most particular row that a file is in, and that is the lowest. */
function rowOf(path: string): number {
  return nouns.has(path) ? noun : rows.findLastIndex(({ is }) => is.test(path))
}

/** Finds the nouns: what imports something else than nouns is none, until nothing changes. */
function findNouns(all: readonly Source[]): void {
  const candidates = all.filter(
    ({ path, packages }) =>
      rowOf(path) === verb && !path.endsWith('.test.ts') && packages.every(isPure),
  )
  for (const { path } of candidates) nouns.add(path)
  for (let before = -1; before !== nouns.size;) {
    before = nouns.size
    for (const { path, imports } of candidates) {
      if (imports.some((imported) => rowOf(imported) < noun)) nouns.delete(path)
    }
  }
}

/** Modules that only compute. */
const isPure = (name: string): boolean =>
  ['node:assert/strict', 'node:crypto', 'node:util', 'node:net', 'node:zlib'].includes(name)

function* importsUpward({ path, imports }: Source): Iterable<string> {
  if (/\.test\.ts$|\/testing\.ts$|^test\/|^tools\/|^bench\//.test(path)) return
  for (const imported of imports) {
    const from = rowOf(path)
    const to = rowOf(imported)
    if (!imported.endsWith('.ts')) continue
    const isPeer = from === to && (rows[from]?.peers || dirname(imported) === dirname(path))
    if (from < to || isPeer) continue
    yield `${path}: a ${rows[from]?.name} imports a ${rows[to]?.name}, ${imported}`
  }
}

function* bannedWords({ path, lines }: Source): Iterable<string> {
  if (path === 'tools/tidy.test.ts') return
  for (const [index, line] of lines.entries()) {
    if (/^\s*(\/?\*|\/\/)/.test(line)) continue
    for (const { pattern, allowed, instead } of bans) {
      if (pattern.test(line) && !allowed.test(path)) {
        yield `${path}:${index + 1}: ${pattern.exec(line)?.[0]} is banned, use ${instead}`
      }
    }
  }
}

/** An operation is in the file of its name, and in a table of all of them. */
function* strayOperations({ path, lines }: Source, tables: string): Iterable<string> {
  if (!path.includes('/operations/') || path.endsWith('.test.ts')) return
  const action = /action: '(\w+)'/.exec(lines.join('\n'))?.[1] ?? ''
  const expected = `${action.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase()}.ts`
  if (basename(path) !== expected) yield `${path}: has ${action}, so its name must be ${expected}`
  if (!tables.includes(`/operations/${basename(path)}`))
    yield `${path}: is in no table of operations`
}

function readSource(path: string): Source {
  const text = readFileSync(path, 'utf8')
  const specifiers = [
    ...text.matchAll(/^(?:import|export) [^'"]*?from '(\.[^']+)'/gms),
    ...text.matchAll(/\bimport\('(\.[^']+)'\)/g),
  ]
  const imports = specifiers.map(([, specifier = '']) => normalize(join(dirname(path), specifier)))
  const foreign = [...text.matchAll(/^(?:import|export) (?!type )[^'"]*?from '([^.][^']*)'/gms)]
  const packages = foreign.map(([, name = '']) => name)
  return { path, lines: text.split('\n'), imports, packages }
}

const sources = globSync('{src,test,tools,bench}/**/*.ts').map(readSource)
findNouns(sources)
const tables = ['src/actions.ts', 'src/extensions.ts']
  .map((path) => readFileSync(path, 'utf8'))
  .join('')

test('the house is tidy', () => {
  const rules = [importsUpward, bannedWords]
  const found = sources.flatMap((source) => [
    ...rules.flatMap((rule) => [...rule(source)]),
    ...strayOperations(source, tables),
  ])
  assert.deepEqual(found, [])
})

test('every file is used', () => {
  const used = new Set(sources.flatMap((source) => source.imports))
  const entries = /\.test\.ts$|^src\/cli\/main\.ts$|^bench\/|\/worker\.ts$|-child\.ts$|^tools\//
  const dead = sources.filter(({ path }) => !used.has(path) && !entries.test(path))
  assert.deepEqual(
    dead.map(({ path }) => path),
    [],
  )
})

test('every test that the threat model names is there', () => {
  const text = readFileSync('docs/threat-model.md', 'utf8')
  const named = [...text.matchAll(/`((?:src|test|tools)\/[^`]+)`/g)].map(([, path = '']) => path)
  assert(named.length > 20)
  assert.deepEqual(
    named.filter((path) => globSync(path).length === 0),
    [],
  )
})

test('a store that knows an operation is found out', () => {
  const imports = ['src/images/operations/create-image.ts']
  const store = { path: 'src/images/store.ts', lines: [], imports, packages: [] }
  assert.deepEqual(
    [...importsUpward(store)],
    ['src/images/store.ts: a store imports a edge, src/images/operations/create-image.ts'],
  )
})

test('an operation that calls another operation is found out', () => {
  const path = 'src/images/operations/create-image.ts'
  const imports = ['src/snapshots/operations/create-snapshot.ts']
  assert.equal([...importsUpward({ path, lines: [], imports, packages: [] })].length, 1)
})

test('a noun that begins to read the database is a noun no longer', () => {
  assert(nouns.has('src/instances/instance.ts'))
  assert(!nouns.has('src/instances/store.ts'))
})
