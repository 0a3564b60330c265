import assert from 'node:assert/strict'
import { test } from 'node:test'
import { probeAccelerator, runGuest } from './accelerator.ts'
import { scratch } from './test-rig.ts'

test('a guest runs without KVM', async (context) => {
  assert.equal(await runGuest('tcg', await scratch(context)), undefined)
})

test('KVM is taken where it runs a guest, and refused with a reason elsewhere', async (context) => {
  const folder = await scratch(context)
  const { accelerator, why } = await probeAccelerator('auto', { folder })
  const forced = probeAccelerator('kvm', { folder })

  assert.notEqual(why, '')
  if (accelerator === 'kvm') assert.equal((await forced).accelerator, 'kvm')
  else await assert.rejects(forced, new Error(`KVM is chosen and does not work: ${why}`))
  assert.equal((await probeAccelerator('tcg', { folder })).accelerator, 'tcg')
})
