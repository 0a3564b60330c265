import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { everySource, generate } from './generate-schemas.ts'

for (const source of everySource) {
  test(`the schemas of ${source} are those of the SDK that is installed`, () => {
    const file = new URL(`../src/wire/schemas/${source}.json`, import.meta.url)
    assert(
      readFileSync(file, 'utf8') === generate(source),
      'src/wire/schemas is not what `node tools/generate-schemas.ts` writes: run it',
    )
  })
}
