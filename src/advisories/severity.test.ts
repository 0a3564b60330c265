import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cvssBaseScore } from './cvss.ts'
import { severityOf } from './severity.ts'

/** As published with the vulnerabilities, and with the examples of the specification. */
const published: readonly (readonly [string, number])[] = [
  ['AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8], // CVE-2019-14697
  ['AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10], // CVE-2021-44228
  ['AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N', 7.5], // CVE-2014-0160
  ['AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1], // CVE-2013-1937
  ['AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N', 6.4], // CVE-2013-0375
  ['AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N', 3.1], // CVE-2014-3566
  ['AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H', 9.9], // CVE-2012-1516
  ['AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L', 4.2], // CVE-2009-0658, another view of it
  ['AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H', 7.8], // CVE-2009-0658
  ['AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N', 4.6], // CVE-2014-2005
  ['AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N', 6.8], // CVE-2008-1447
  ['AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H', 9.3], // CVE-2013-6014
  ['AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0],
]

test('a vector has the score that was published with it', () => {
  for (const [vector, score] of published) {
    assert.equal(cvssBaseScore(`CVSS:3.1/${vector}`), score, vector)
    assert.equal(cvssBaseScore(`CVSS:3.1/E:P/${vector}/RL:O`), score, vector)
  }
})

test('a vector that is not whole, or of another version, has none', () => {
  for (const vector of [
    '',
    'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H',
    'CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
    'CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
    'CVSS:3.1/AV:constructor/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
    'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N',
    'AV:N/AC:L/Au:N/C:P/I:P/A:P',
  ]) {
    assert.equal(cvssBaseScore(vector), undefined, vector)
  }
  fc.assert(fc.property(fc.string(), (text) => cvssBaseScore(text) === undefined))
})

test('severity goes by the score, and by words where there is none', () => {
  const of = (score: number) => {
    const vector = published.find((one) => one[1] === score)?.[0] ?? ''
    return severityOf([`CVSS:3.1/${vector}`], ['low']).label
  }
  assert.deepEqual([10, 9.3, 7.8, 6.8, 4.2, 3.1, 0].map(of), [
    'critical',
    'critical',
    'high',
    'medium',
    'medium',
    'low',
    'informational',
  ])
  const said = (...words: readonly string[]) => severityOf(['no vector'], words).label
  assert.equal(said('MODERATE'), 'medium')
  assert.equal(said('not yet assigned', 'high**'), 'high')
  assert.equal(said('negligible'), 'informational')
  assert.equal(said('end-of-life'), undefined)
})
