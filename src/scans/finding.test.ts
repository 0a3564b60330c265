import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Advisory } from '../advisories/advisory.ts'
import { readRecord } from '../advisories/osv.ts'
import { DiskRefused } from '../disk-files/bounded-disk.ts'
import { type Finding, findAll, sumUp } from './finding.ts'
import type { Inventory } from './inventory.ts'
import { osvRecord, vectors } from './testing.ts'

const advisoriesOf = (...records: readonly object[]): readonly Advisory[] =>
  records.flatMap((record) => readRecord(record).advisories)

const inventoryOf = (
  ...sources: readonly (readonly [string, string, ...string[]])[]
): Inventory => ({
  ecosystem: 'Debian:12',
  system: 'Debian',
  sources: sources.map(([name, version, ...packages]) => ({
    name,
    version,
    packages: packages.map((one) => ({ name: one, version, path: `/status.d/${one}` })),
  })),
})

const find = async (inventory: Inventory, advisories: readonly Advisory[]) =>
  await findAll(inventory, advisories, { before: [], nowMs: 7 })

test('what several advisories say of one vulnerability is one finding, as bad as the worst', async () => {
  const bulletin = {
    ...osvRecord(1, 'glibc', { fixed: '2.36-9+deb12u4' }),
    id: 'DSA-5514-1',
    upstream: ['CVE-2026-1001', 'CVE-2026-1002'],
  }
  const tracker = osvRecord(1, 'glibc', { vector: vectors.high })
  const inventory = inventoryOf(
    ['glibc', '2.36-9', 'libc6', 'libc-bin'],
    ['glibc', '2.36-9+deb12u4', 'locales'],
  )
  const brief = ({ vulnerability, label, score, hasFix, packages }: Finding) =>
    [vulnerability, label, score, hasFix, packages.join()] as const
  for (const records of [
    [bulletin, tracker],
    [tracker, bulletin],
  ]) {
    const found = await find(inventory, advisoriesOf(...records))
    assert.deepEqual(found.map(brief), [
      ['CVE-2026-1001', 'high', 7.5, true, 'libc-bin,libc6,locales'],
      ['CVE-2026-1002', undefined, undefined, true, 'libc-bin,libc6'],
    ])
  }
})

test('a finding shows ten packages and ten paths at most', async () => {
  const names = Array.from({ length: 30 }, (_, number) => `lib${String(number).padStart(2, '0')}`)
  const [found] = await find(
    inventoryOf(['llvm', '1', ...names]),
    advisoriesOf(osvRecord(1, 'llvm')),
  )
  assert.deepEqual(found?.packages, names.slice(0, 10))
  assert.equal(found?.paths.length, 10)
})

test('the date of a severity is the first of a fix that it has', () => {
  const finding = (label: Finding['label'], fixSinceMs: number | undefined): Finding => ({
    vulnerability: 'x',
    label,
    score: undefined,
    hasFix: fixSinceMs !== undefined,
    packages: [],
    paths: [],
    firstObservedAtMs: 0,
    updatedAtMs: 0,
    fixSinceMs,
  })
  const all = [
    finding('low', 5),
    finding('low', 3),
    finding('low', undefined),
    finding('high', undefined),
    finding(undefined, 1),
  ]
  assert.deepEqual(sumUp(all, 9), {
    scannedAtMs: 9,
    highest: 'high',
    fixSinceMs: { low: 3 },
    counts: { low: 3, high: 1, untriaged: 1 },
  })
})

test('a disk with packages made up to be many is refused', async () => {
  const versions = Array.from({ length: 1001 }, (_, number) => ['linux', `${number}`] as const)
  const records = Array.from({ length: 1000 }, (_, number) =>
    osvRecord(number, 'linux', { fixed: '0~' }),
  )
  await assert.rejects(find(inventoryOf(...versions), advisoriesOf(...records)), DiskRefused)
})
