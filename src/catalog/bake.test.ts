/** The recipes run by the whole-system tests; here, what can be known without baking. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { bake, checkCatalog } from './bake.ts'
import { isRecipeName, recipeNames, recipes } from './recipe.ts'

const catalogFolder = fileURLToPath(new URL('../../catalog', import.meta.url))

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'imago-catalog-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function shell(script: string, input: string): string {
  const { stdout, stderr, status } = spawnSync('bash', ['-euc', script], {
    input,
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  return stdout
}

test('every recipe is a folder with a script that bash can read', () => {
  for (const name of recipeNames) {
    assert.equal(recipes[name].name, name)
    shell(`bash -n '${join(catalogFolder, name, 'bake.sh')}'`, '')
  }
  assert(!isRecipeName('windows'))
})

test('the check of a host says what to do for each recipe that cannot be baked', async () => {
  const checks = await checkCatalog()
  assert.deepEqual(
    checks.map((check) => check.recipe),
    recipeNames,
  )
  for (const check of checks) {
    if (!check.ok) assert.match(check.advice, /apt-get install|usermod/)
  }
})

test('an aborted bake leaves neither an image nor scratch files', async (context) => {
  const folder = await temporaryFolder(context)
  const controller = new AbortController()
  const baking = bake('tiny', {
    output: join(folder, 'images', 'tiny.raw'),
    workFolder: join(folder, 'work'),
    onLine: () => controller.abort(),
    signal: controller.signal,
  })
  await assert.rejects(baking)
  assert.deepEqual(await readdir(join(folder, 'images')), [])
  assert.deepEqual(await readdir(join(folder, 'work')), [])
})

test('missing tools are named by the packages that have them', () => {
  const script = `. '${catalogFolder}/common/tools.sh'; need no-such-tool=package-b bash=bash /no/file=package-a 2>&1 || true`
  assert.match(shell(script, ''), /apt-get install package-a package-b\n$/)
})

test('apt sources are read in both of their forms', () => {
  const read = (reader: string, input: string): string =>
    shell(`. '${catalogFolder}/common/apt.sh'; ${reader}`, input)
  const oneLine = [
    '# deb http://mirror.example/old bookworm main',
    'deb [signed-by=/k.gpg arch=amd64] http://mirror.example/debian bookworm main contrib # why',
    'deb-src http://mirror.example/debian bookworm main',
  ]
  assert.equal(
    read('one_line_sources', `${oneLine.join('\n')}\n`).trim(),
    'deb [signed-by=/k.gpg arch=amd64]\thttp://mirror.example/debian\tbookworm\tmain contrib',
  )
  const stanzas = [
    'Types: deb deb-src',
    '# a comment',
    'URIs: http://mirror.example/debian',
    'Suites: bookworm',
    '  bookworm-updates',
    'Components: main',
    'Signed-By: /k.gpg',
    '',
    'Types: deb',
    'URIs: http://mirror.example/off',
    'Suites: bookworm',
    'Components: main',
    'Enabled: no',
  ]
  assert.deepEqual(
    read('deb822_sources', `${stanzas.join('\n')}\n`)
      .trim()
      .split('\n'),
    [
      'deb [signed-by=/k.gpg]\thttp://mirror.example/debian\tbookworm\tmain',
      'deb [signed-by=/k.gpg]\thttp://mirror.example/debian\tbookworm-updates\tmain',
    ],
  )
})

test('the boot sector of a disk points at the core image', () => {
  const script = `. '${catalogFolder}/common/disk.sh'; le64 4660`
  assert.equal(shell(script, '').slice(0, 2), '4\u0012')
})
