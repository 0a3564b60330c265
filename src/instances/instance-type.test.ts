import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkHostArchitecture, countFitting } from './capacity.ts'
import {
  bootModeOf,
  checkArchitecture,
  defaultInstanceType,
  findInstanceType,
  instanceTypeNamed,
  listInstanceTypes,
} from './instance-type.ts'

const host = { vcpus: 2, memoryMiB: 4096, architecture: 'x86_64' }

test('instance types have the sizes that EC2 gives them', () => {
  const sizes = ['t2.micro', 't3.nano', 't4g.2xlarge', 'm5.large', 'c6i.4xlarge', 'r6i.xlarge']
  assert.deepEqual(
    sizes.map((name) => [instanceTypeNamed(name).vcpus, instanceTypeNamed(name).memoryMiB]),
    [
      [1, 1024],
      [2, 512],
      [8, 32_768],
      [2, 8192],
      [16, 32_768],
      [4, 32_768],
    ],
  )
})

test('every type has whole cores, a boot mode and memory', () => {
  for (const type of listInstanceTypes()) {
    assert(Number.isInteger(type.vcpus / type.threadsPerCore), type.name)
    assert(type.family.bootModes.length > 0 && type.memoryMiB >= 512, type.name)
  }
  assert(findInstanceType(defaultInstanceType))
})

test('an image for other processors is refused in words that name both', () => {
  assert.throws(() => checkArchitecture(instanceTypeNamed('t3.micro'), 'arm64'), {
    code: 'InvalidParameterValue',
    message:
      /^The architecture 'x86_64' of the specified instance type does not match the architecture 'arm64' of the specified AMI\. /,
  })
  checkArchitecture(instanceTypeNamed('t4g.micro'), 'arm64')
  checkArchitecture(instanceTypeNamed('m1.small'), 'i386')
})

test('an instance boots as its image asks, or as its type prefers', () => {
  const x86 = instanceTypeNamed('t3.micro')
  assert.equal(bootModeOf(x86, undefined), 'legacy-bios')
  assert.equal(bootModeOf(x86, 'uefi-preferred'), 'uefi')
  assert.equal(bootModeOf(x86, 'uefi'), 'uefi')
  assert.equal(bootModeOf(instanceTypeNamed('t4g.micro'), undefined), 'uefi')
  assert.equal(bootModeOf(instanceTypeNamed('m1.small'), 'uefi-preferred'), 'legacy-bios')
  for (const name of ['m1.small', 't2.micro']) {
    assert.throws(() => bootModeOf(instanceTypeNamed(name), 'uefi'), {
      code: 'InvalidParameterCombination',
    })
  }
})

test('memory is promised once, and processors are shared', () => {
  const nano = instanceTypeNamed('t3.nano')
  assert.equal(countFitting(nano, [], host), 8)
  assert.equal(countFitting(nano, ['t3.nano', 't3.micro', 'gone.large'], host), 5)
  assert.equal(countFitting(instanceTypeNamed('m5.large'), [], host), 0)
  assert.equal(countFitting(nano, ['m5.large'], host), 0)
})

test('a host runs the machines of its own processors alone', () => {
  checkHostArchitecture(instanceTypeNamed('t3.nano'), host)
  assert.throws(() => checkHostArchitecture(instanceTypeNamed('t4g.nano'), host), {
    code: 'Unsupported',
  })
})
