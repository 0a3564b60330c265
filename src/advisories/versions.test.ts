import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareApkVersions } from './apk-version.ts'
import { compareDpkgVersions } from './dpkg-version.ts'

const sign = (difference: number): string => (difference < 0 ? '<' : difference > 0 ? '>' : '=')

/** Parts of versions that there are, so that many are nearly the same. */
const part = fc.constantFrom('0', '1', '2', '10', '01', 'a', 'b', 'Z', '.', '+', '~', '~~', 'rc1')
const words = (max: number) => fc.array(part, { maxLength: max }).map((parts) => parts.join(''))
const revision = fc.constantFrom('', '-0', '-1', '-1+deb12u1', '-1~bpo11+1', '-0ubuntu0.22.04.1')
const version = fc
  .tuple(fc.constantFrom('', '', '0:', '1:'), fc.constantFrom('0', '1', '9'), words(3), revision)
  .map((parts) => parts.join(''))
/** Two that begin alike, and two of any kind. */
const pair = fc.oneof(
  fc
    .tuple(version, words(2), words(2), revision)
    .map(([one, two, three, four]) => [`${one}${two}`, `${one}${three}${four}`] as const),
  fc.tuple(version, version),
)

test('versions of Debian are in the order of dpkg', () => {
  const pairs = fc.sample(pair, 120)
  const script = pairs.map(
    ([one, other]) =>
      `if is lt '${one}' '${other}'; then echo '<'; elif is eq '${one}' '${other}'; then echo =; else echo '>'; fi`,
  )
  const is = 'is() { dpkg --compare-versions "$2" "$1" "$3"; }'
  const said = execFileSync('sh', ['-c', [is, ...script].join('\n')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const expected = said.toString().trim().split('\n')
  assert.equal(expected.length, pairs.length)
  for (const [index, [one, other]] of pairs.entries()) {
    assert.equal(sign(compareDpkgVersions(one, other)), expected[index], `${one} and ${other}`)
  }
})

test('what is no version has its place in the order too', () => {
  const texts = fc.tuple(fc.string(), fc.string())
  for (const compare of [compareDpkgVersions, compareApkVersions]) {
    fc.assert(
      fc.property(texts, ([one, two]) => {
        assert.equal(Math.sign(compare(one, two)), -Math.sign(compare(two, one)) || 0)
        assert.equal(compare(one, one), 0)
      }),
    )
  }
})

/** From what apk-tools are tested by themselves. */
const ofApk = `
2.34 > 0.1.0_alpha|0.1.0_alpha = 0.1.0_alpha|0.1.0_alpha < 0.1.3_alpha|0.1.0_alpha2 > 0.1.0_alpha
2.2.39-r1 > 1.0.4-r3|1.0.4-r3 < 1.0.4-r4|1.0.4-r4 < 1.6|1.1 > 1.1_alpha1|1.2.1 > 1.2
1.3_alpha2 < 1.3_alpha3|0.8_beta4 < 4.8-r1|2.3.0b-r1 < 2.3.0b-r2|0.12.3 > 0.12|0.12 < 0.13_beta1
3.1_p16 < 3.1_p17|1.06-r6 < 006|006 > 1.0.0|1.2.2-r1 > 1.2.2|2.01.01_alpha10 > 0.94
1.0 > 0.99.3.20040818|1.39 > 1.00_beta2|1.02 < 1.03-r1|4.2.52_p2-r1 < 4.2.52_p4-r2
1.02.07 < 1.02.10-r1|1.05-r18 < 1.05-r19|2.5.1-r8 < 2.5.1a-r1|2.0.0_rc3-r1 > 1.5
3.0.0-r2 < 021109-r3|3.9_pre20060124 > 0.01|6b-r7 > 1.12-r7|0.10.0 < 0.10.1_rc1
0.15.1b-r2 > 0.15.1b|1.6d > 1.2.07.8|1.07 < 1.19|1.07-r1 < 1.07.5|0.59s-r11 < 0.65
0.20070118 < 0.20070207_rc1|4.5_p1-r1 > 4.5_p1|0.9.8c-r1 < 0.9.8d|1.7 < 1.7b|1.7b < 1.8.4-r3
1.8.5 < 1.8.5_p2|0.98 < 1.00|2.9.11_pre20051101-r3 > 2.9.11_pre20051101|2.12r-r4 < 2.12r-r5
7.0.17 < 7.0.174|1.3-r0 < 1.3.1-r0|1.3_pre1-r1 < 1.3.2|1.0_p10-r0 > 1.0_p9-r0
0.1.0_alpha_pre2 < 0.1.0_alpha|1.0.0_pre20191002222144-r0 < 1.0.0_pre20210530193627-r0`

test('versions of Alpine are in the order of apk', () => {
  for (const line of ofApk.trim().split(/[|\n]/)) {
    const [one = '', is, other = ''] = line.split(' ')
    assert.equal(sign(compareApkVersions(one, other)), is, line)
    assert.equal(sign(-compareApkVersions(other, one)), is, line)
  }
})
