import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cidrText, contains, netmask, overlaps, parseCidr, withoutNested } from './cidr.ts'

const cidr = fc
  .tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }))
  .map(([address, bits]) => `${address}/${bits}`)

test('a CIDR is read with its host bits cleared and written as read', () => {
  assert.equal(cidrText(parseCidr('172.31.5.9/20')), '172.31.0.0/20')
  assert.equal(cidrText(parseCidr('255.1.2.3')), '255.1.2.3/32')
  assert.equal(netmask(parseCidr('172.31.0.0/20')), '255.255.240.0')
  assert.equal(netmask(parseCidr('0.0.0.0/0')), '0.0.0.0')
  assert.throws(() => parseCidr('10.0.0/8'), /not an IPv4 address/)
})

test('without nested CIDRs the same addresses are left, and none twice', () => {
  fc.assert(
    fc.property(fc.array(cidr, { maxLength: 20 }), (texts) => {
      const kept = withoutNested([...texts, '2001:db8::/32'])
      for (const text of texts) {
        assert(kept.some((outer) => contains(outer, parseCidr(text))))
      }
      for (const [at, one] of kept.entries()) {
        assert(!kept.slice(at + 1).some((other) => overlaps(one, other)))
      }
    }),
  )
})
