import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isListed, isPublic, mayConnect, type OutboundRules, parseOutboundRules } from './rules.ts'

function rulesOf(text: string): OutboundRules {
  const rules = parseOutboundRules(text)
  assert(!('bad' in rules), text)
  return rules
}

const may = (text: string, host: string, address = host, port = 443) =>
  mayConnect(rulesOf(text), { host, address, port })

test('no address of the host, of its networks or of a cloud is public', () => {
  for (const address of [
    '127.0.0.1',
    '127.9.8.7',
    '0.0.0.0',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    'fe80::1%eth0',
    'fd00:ec2::254',
    'ff02::1',
    '2002:7f00:1::',
    '2001:0:1::',
    'localhost',
    '',
  ]) {
    assert.equal(isPublic(address), false, address)
    assert.equal(may('public', address), false, address)
  }
  for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1111'])
    assert.equal(may('public', address), true, address)
})

test('a name is judged by the address that it turns out to be', () => {
  assert.equal(may('public', 'hooks.example.com', '93.184.216.34'), true)
  assert.equal(may('public', 'hooks.example.com', '127.0.0.1'), false)
  assert.equal(may('public', 'mail.example.com', '93.184.216.34', 25), false)
})

test('what the operator lists may be called wherever it is, and nothing else of it', () => {
  const rules =
    'hooks.internal, *.corp.example, 127.0.0.1:8080, 10.0.0.0/8, [fd00::1]:443, fd01::/16'
  const allowed: readonly (readonly [string, string, number])[] = [
    ['hooks.internal', '192.168.1.1', 22],
    ['HOOKS.internal.', '192.168.1.1', 80],
    ['a.b.corp.example', '127.0.0.1', 1],
    ['127.0.0.1', '127.0.0.1', 8080],
    ['whatever', '127.0.0.1', 8080],
    ['10.9.9.9', '10.9.9.9', 80],
    ['fd00::1', 'fd00::1', 443],
    ['fd01::9', 'fd01::9', 80],
  ]
  for (const [host, address, port] of allowed)
    assert.equal(may(rules, host, address, port), true, `${host} ${port}`)
  const refused: readonly (readonly [string, string, number])[] = [
    ['127.0.0.1', '127.0.0.1', 8081],
    ['corp.example', '10.0.0.1'.replace('10', '11'), 443],
    ['nothooks.internal', '192.168.1.1', 80],
    ['8.8.8.8', '8.8.8.8', 443],
    ['fd00::1', 'fd00::1', 80],
  ]
  for (const [host, address, port] of refused)
    assert.equal(may(rules, host, address, port), false, `${host} ${port}`)
  assert.equal(may('none', '8.8.8.8'), false)
  assert.equal(may('public,127.0.0.1', '8.8.8.8'), true)
})

test('a word that is no host is told', () => {
  for (const word of [
    'http://a',
    'a b',
    '10.0.0.0/33',
    '1.2.3',
    'a:0',
    'a:99999',
    '',
    '*',
    'none,a/b',
  ])
    assert('bad' in parseOutboundRules(word), word)
})

test('whatever the address, it is not called where nothing lists it and it is not public', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6())
  fc.assert(
    fc.property(address, fc.integer({ min: 1, max: 65535 }), (host, port) => {
      const rules = rulesOf('public')
      assert(!mayConnect(rules, { host, address: host, port }) || isPublic(host))
      assert(!isListed(rules, { host, address: host, port }))
    }),
  )
})
