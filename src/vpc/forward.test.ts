import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plannedForwards, wellKnownPorts } from './forward.ts'
import type { Port, Rule } from './spec.ts'

const world = ['0.0.0.0/0']

function plan(ingress: readonly Rule[], unprivilegedPortMin = 0) {
  const port: Port = {
    id: 'i-1',
    mac: '02:00:00:00:00:01',
    address: '172.31.0.5',
    hostname: 'ip-172-31-0-5',
    publicAddress: '127.10.0.5',
    ingress,
    egress: [],
    metadata: { enabled: true, hopLimit: 1 },
  }
  return plannedForwards([port], unprivilegedPortMin).map(
    (forward) => `${forward.protocol} ${forward.hostPort}>${forward.port}`,
  )
}

test('what a rule opens to the world is forwarded, and nothing else', () => {
  const ssh = { protocol: 'tcp', fromPort: 22, toPort: 22 } as const
  assert.deepEqual(plan([{ ...ssh, cidrs: world }]), ['tcp 22>22'])
  assert.deepEqual(plan([{ ...ssh, cidrs: ['127.0.0.0/8'] }]), ['tcp 22>22'])
  assert.deepEqual(plan([{ ...ssh, cidrs: ['172.31.0.0/16', '::/0'] }]), [])
  assert.deepEqual(plan([{ protocol: 'icmp', cidrs: world }]), [])
  const twice = { protocol: 17, fromPort: 53, toPort: 54, cidrs: world }
  assert.deepEqual(plan([twice, twice]), ['udp 53>53', 'udp 54>54'])
})

test('a privileged port comes out at 20000 more for an ordinary user', () => {
  const web = { protocol: 'tcp', fromPort: 80, toPort: 80, cidrs: world } as const
  const high = { protocol: 'tcp', fromPort: 8080, toPort: 8080, cidrs: world } as const
  assert.deepEqual(plan([web, high], 1024), ['tcp 20080>80', 'tcp 8080>8080'])
})

test('of a wide range the well-known ports are forwarded', () => {
  const everything = wellKnownPorts.map((port) => `tcp ${port}>${port}`)
  assert.deepEqual(plan([{ protocol: 'all', cidrs: world }]), everything)
  assert.deepEqual(
    plan([{ protocol: 'tcp', fromPort: 0, toPort: 65_535, cidrs: world }]),
    everything,
  )
  assert.deepEqual(plan([{ protocol: 'tcp', fromPort: 8000, toPort: 8100, cidrs: world }]), [
    'tcp 8000>8000',
    'tcp 8080>8080',
  ])
})
