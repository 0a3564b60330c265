import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkDeviceIsFree, checkDeviceName } from './attachment.ts'
import { checkVolumeShape, type VolumeType, volumeTypes } from './volume-type.ts'

const anyType = fc.constantFrom(...(Object.keys(volumeTypes) as VolumeType[]))

test('a volume within the sizes of its type is taken, one outside is not', () => {
  const anySize = fc.integer({ min: -1, max: 70_000 })
  fc.assert(
    fc.property(anyType, anySize, (type, sizeGiB) => {
      const [min, max] = volumeTypes[type].sizeGiB
      const iops = type === 'io1' || type === 'io2' ? 100 : undefined
      const check = () => checkVolumeShape({ type, sizeGiB, iops })
      if (sizeGiB >= min && sizeGiB <= max) assert.equal(check().sizeGiB, sizeGiB)
      else assert.throws(check, { code: 'InvalidParameterValue' })
    }),
  )
})

test('what a caller leaves open is what EC2 gives', () => {
  const shape = (type: string, sizeGiB: number) => {
    const { iops, throughput } = checkVolumeShape({ type, sizeGiB })
    return [iops, throughput]
  }
  assert.deepEqual(shape('gp3', 1), [3000, 125])
  assert.deepEqual(shape('gp2', 8), [100, undefined])
  assert.deepEqual(shape('gp2', 1000), [3000, undefined])
  assert.deepEqual(shape('gp2', 16_000), [16_000, undefined])
  assert.deepEqual(shape('st1', 125), [undefined, undefined])
})

test('speeds that a type does not have are refused', () => {
  const refused = (shape: object, code: string) =>
    assert.throws(() => checkVolumeShape({ type: 'gp3', sizeGiB: 100, ...shape }), { code })
  refused({ type: 'gp9' }, 'InvalidParameterValue')
  refused({ type: 'gp2', iops: 100 }, 'InvalidParameterCombination')
  refused({ type: 'io1' }, 'MissingParameter')
  refused({ type: 'io1', iops: 5001 }, 'InvalidParameterValue')
  refused({ iops: 2999 }, 'InvalidParameterValue')
  refused({ iops: 50_001 }, 'InvalidParameterValue')
  refused({ throughput: 124 }, 'InvalidParameterValue')
  refused({ throughput: 1000 }, 'InvalidParameterValue')
  refused({ type: 'io1', iops: 100, throughput: 125 }, 'InvalidParameterCombination')
})

test('a disk has a name that EC2 takes, and no other disk has it', () => {
  for (const name of ['/dev/sdf', '/dev/sda1', '/dev/xvda', 'xvdf', '/dev/xvdba']) {
    checkDeviceName(name)
  }
  for (const name of ['', 'f', '/dev/nvme0n1', '/dev/sda16', '/dev/sdaa', '../sdf']) {
    assert.throws(() => checkDeviceName(name), { code: 'InvalidParameterValue' }, name)
  }
  const there = [{ device: '/dev/sdf' }] as unknown as Parameters<typeof checkDeviceIsFree>[1]
  assert.throws(() => checkDeviceIsFree('sdf', there), { code: 'InvalidParameterValue' })
  checkDeviceIsFree('/dev/sdg', there)
})
