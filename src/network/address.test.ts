import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  addressesIn,
  canonicalIpv4Cidr,
  canonicalIpv6Cidr,
  isInRange,
  numberOfAddress,
  parseRange,
  textOfAddress,
} from './address.ts'
import { freeAddress, gatewayOf } from './subnet.ts'
import { privateDnsName } from './vpc.ts'
import { findZone } from './zone.ts'

const anyAddress = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const anyBits = fc.integer({ min: 0, max: 32 })

test('an address is the same number and text', () => {
  fc.assert(fc.property(anyAddress, (n) => numberOfAddress(textOfAddress(n)) === n))
})

test('a canonical CIDR holds the address that it was made of, and is canonical itself', () => {
  fc.assert(
    fc.property(anyAddress, anyBits, (number, bits) => {
      const address = textOfAddress(number)
      const cidr = canonicalIpv4Cidr(`${address}/${bits}`)
      assert(cidr !== undefined)
      assert(isInRange(cidr, address))
      assert.equal(addressesIn(cidr), 2 ** (32 - bits))
      assert.equal(canonicalIpv4Cidr(cidr), cidr)
      assert.equal(textOfAddress(parseRange(cidr).first), cidr.split('/')[0])
    }),
  )
})

test('an IPv6 CIDR is kept short and without host bits', () => {
  assert.equal(canonicalIpv6Cidr('::/0'), '::/0')
  assert.equal(canonicalIpv6Cidr('2001:DB8:0:0:0:0:0:1/32'), '2001:db8::/32')
  assert.equal(canonicalIpv6Cidr('2001:db8::ffff/126'), '2001:db8::fffc/126')
  assert.equal(canonicalIpv6Cidr('::ffff:10.0.0.1/128'), '::ffff:a00:1/128')
  fc.assert(
    fc.property(fc.ipV6(), fc.integer({ min: 0, max: 128 }), (address, bits) => {
      const cidr = canonicalIpv6Cidr(`${address}/${bits}`)
      assert(cidr !== undefined)
      assert.equal(canonicalIpv6Cidr(cidr), cidr)
    }),
  )
})

test('what is no CIDR is none', () => {
  for (const text of ['', '10.0.0.0', '10.0.0.0/33', '10.0.0/8', '10.0.0.0/08', '256.0.0.0/8']) {
    assert.equal(canonicalIpv4Cidr(text), undefined, text)
  }
  for (const text of ['', '::', '::/129', '1::2::3/64', 'fe80::1%eth0/64', '10.0.0.0/8']) {
    assert.equal(canonicalIpv6Cidr(text), undefined, text)
  }
})

test('a subnet gives out the lowest free address, and none when it is full', () => {
  assert.equal(gatewayOf('172.31.16.0/20'), '172.31.16.1')
  assert.equal(freeAddress('10.0.0.0/28', new Set()), '10.0.0.4')
  assert.equal(freeAddress('10.0.0.0/28', new Set(['10.0.0.4'])), '10.0.0.5')
  const all = Array.from({ length: 16 }, (_, at) => `10.0.0.${at}`)
  assert.equal(freeAddress('10.0.0.0/28', new Set(all.slice(0, 14))), '10.0.0.14')
  assert.equal(freeAddress('10.0.0.0/28', new Set(all.slice(0, 15))), undefined)
})

test('names inside and ids of zones are as in EC2', () => {
  assert.equal(privateDnsName('us-east-1', '172.31.0.5'), 'ip-172-31-0-5.ec2.internal')
  assert.equal(privateDnsName('eu-west-1', '10.0.0.1'), 'ip-10-0-0-1.eu-west-1.compute.internal')
  assert.equal(findZone('us-east-1', 'us-east-1a')?.id, 'use1-az1')
  assert.equal(findZone('ap-southeast-2', 'apse2-az3')?.name, 'ap-southeast-2c')
  assert.equal(findZone('us-east-1', 'us-east-1d'), undefined)
})
