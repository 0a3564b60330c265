import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Advisory } from './advisory.ts'
import { versionsOf } from './ecosystem.ts'
import { BadRecord, readRecord, trimRecord } from './osv.ts'
import { judgeVersion } from './ranges.ts'

const modified = '2024-09-05T12:00:00Z'

/** As Debian, Ubuntu and Alpine publish them, shortened. */
const debian = {
  id: 'DEBIAN-CVE-2024-6119',
  modified,
  upstream: ['CVE-2024-6119'],
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' }],
  affected: [
    {
      package: { ecosystem: 'Debian:12', name: 'openssl', purl: 'pkg:deb/debian/openssl' },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.14-1~deb12u2' }] }],
      versions: ['3.0.11-1~deb12u2', '3.0.13-1~deb12u1', '9:1'],
      ecosystem_specific: { urgency: 'not yet assigned' },
    },
    {
      package: { ecosystem: 'Debian:11', name: 'openssl' },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '0' }] }],
      ecosystem_specific: { urgency: 'unimportant' },
    },
    { package: { ecosystem: 'npm', name: 'openssl' }, versions: ['1'] },
  ],
}
const ubuntu = {
  id: 'USN-6986-1',
  modified,
  upstream: ['CVE-2024-6119', 'UBUNTU-CVE-2024-5535', 'CVE-2024-6119'],
  details: 'x'.repeat(5000),
  affected: [
    {
      package: { ecosystem: 'Ubuntu:24.04:LTS', name: 'openssl' },
      ranges: [
        { type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.13-0ubuntu3.4' }] },
        { type: 'GIT', events: [{ introduced: '0' }] },
      ],
      ecosystem_specific: { ubuntu_priority: 'medium' },
    },
    { package: { ecosystem: 'Ubuntu:Pro:24.04:LTS', name: 'openssl' }, versions: ['1'] },
  ],
}
const alpine = {
  id: 'ALPINE-CVE-2020-1',
  modified,
  aliases: ['GHSA-1', 'CVE-2020-0001'],
  affected: [
    {
      package: { ecosystem: 'Alpine:v3.19', name: 'musl' },
      ranges: [
        { type: 'ECOSYSTEM', events: [{ fixed: '1.2.4-r2' }, { introduced: '1.2.0-r0' }] },
        { type: 'ECOSYSTEM', events: [{ introduced: '1.3.0' }, { last_affected: '1.3.1' }] },
      ],
    },
  ],
}

const only = (record: unknown, ecosystem: string): Advisory => {
  const found = readRecord(record).advisories.find((one) => one.ecosystem === ecosystem)
  assert(found)
  return found
}
const judge = (version: string, advisory: Advisory) =>
  judgeVersion(version, advisory, versionsOf(advisory.ecosystem))

test('a record says which versions are affected, and whether a later one is not', () => {
  const bookworm = only(debian, 'Debian:12')
  assert.deepEqual(bookworm.vulnerabilities, ['CVE-2024-6119'])
  assert.deepEqual([bookworm.label, bookworm.score], ['high', 7.5])
  const affected = { isAffected: true, hasFix: true }
  assert.deepEqual(judge('3.0.11-1~deb12u2', bookworm), affected)
  assert.deepEqual(judge('3.0.14-1~deb12u1', bookworm), affected)
  assert.equal(judge('3.0.14-1~deb12u2', bookworm).isAffected, false)
  assert.deepEqual(judge('9:1', bookworm), { isAffected: true, hasFix: false })
  assert.equal(judge('1.1.1w-0', only(debian, 'Debian:11')).isAffected, false)

  const noble = only(ubuntu, 'Ubuntu:24.04')
  assert.deepEqual(noble.vulnerabilities, ['CVE-2024-5535', 'CVE-2024-6119'])
  assert.deepEqual([noble.label, noble.score], ['medium', undefined])
  assert.deepEqual(judge('3.0.13-0ubuntu3.3', noble), affected)

  const musl = only(alpine, 'Alpine:v3.19')
  assert.deepEqual(musl.vulnerabilities, ['CVE-2020-0001'])
  assert.equal(musl.label, undefined)
  const versions = ['1.1.9', '1.2.0-r0', '1.2.4-r1', '1.2.4-r2', '1.3.0', '1.3.1', '1.3.1-r1']
  const is = versions.map((version) => judge(version, musl).isAffected)
  assert.deepEqual(is, [false, true, true, false, true, true, false])
  assert.equal(judge('1.3.0', musl).hasFix, false)
})

test('other ecosystems are left out, and Ubuntu Pro is one', () => {
  const ecosystems = [debian, ubuntu].flatMap((record) =>
    readRecord(record).advisories.map(({ ecosystem }) => ecosystem),
  )
  assert.deepEqual(ecosystems, ['Debian:12', 'Debian:11', 'Ubuntu:24.04'])
})

test('a record that was withdrawn says nothing of anything', () => {
  assert.deepEqual(readRecord({ ...debian, withdrawn: modified }).advisories, [])
})

test('what is sent of a record says the same as all of it', () => {
  for (const record of [debian, ubuntu, alpine, { ...ubuntu, withdrawn: modified }]) {
    const trimmed: unknown = JSON.parse(JSON.stringify(trimRecord(record)))
    assert.deepEqual(readRecord(trimmed), readRecord(record))
  }
  assert(JSON.stringify(trimRecord(ubuntu)).length < 500)
  assert.deepEqual(only(trimRecord(debian), 'Debian:12').versions, ['9:1'])
})

test('what is no record is refused, and nothing else happens', () => {
  for (const given of [null, 1, 'x', [], {}, { id: 'a b', modified }, { id: 'A-1' }]) {
    assert.throws(() => readRecord(given), BadRecord)
  }
  const said = fc.oneof(
    fc.json().map((text): unknown => JSON.parse(text)),
    fc.string(),
  )
  const shape = fc.record(
    {
      id: fc.constant('A-1'),
      modified: fc.constant(modified),
      aliases: said,
      upstream: fc.array(said),
      severity: fc.array(fc.record({ type: fc.constant('CVSS_V3'), score: said })),
      affected: fc.array(
        fc.record({
          package: fc.record({ ecosystem: fc.constant('Debian:12'), name: said }),
          ranges: fc.array(
            fc.record({
              type: fc.constant('ECOSYSTEM'),
              events: fc.array(fc.dictionary(fc.constantFrom('introduced', 'fixed'), said)),
            }),
          ),
          versions: fc.array(said),
          ecosystem_specific: said,
        }),
      ),
    },
    { requiredKeys: ['id', 'modified'] },
  )
  fc.assert(
    fc.property(shape, (record) => {
      for (const advisory of readRecord(record).advisories) judge('1.0-1', advisory)
      assert.deepEqual(readRecord(trimRecord(record)), readRecord(record))
    }),
    { numRuns: 50 },
  )
})
