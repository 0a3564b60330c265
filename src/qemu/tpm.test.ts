import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { mkdir, mkdtemp, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { MachineSpec } from './machine-spec.ts'
import { endProcess } from './machine-process.ts'
import { findMachine } from './machine.ts'
import { startMachine } from './start-machine.ts'
import { toDer } from './tpm-key.ts'
import { endTpm, findTpm, readEndorsementKey, startTpm } from './tpm.ts'

async function newFolder(context: TestContext): Promise<string> {
  const base = await mkdtemp(join(await realpath(tmpdir()), 'imago-tpm-'))
  // A name that would mean something in an option of the programs.
  const folder = join(base, 'a, b')
  await mkdir(folder)
  context.after(async () => {
    await endProcess(folder)
    await endTpm(folder)
    await rm(base, { recursive: true, force: true })
  })
  return folder
}

async function hasEnded(folder: string): Promise<boolean> {
  for (let tries = 0; tries < 1_000; tries++) {
    if ((await findTpm(folder)) === undefined) return true
    await wait(10)
  }
  return false
}

const machineIn = (folder: string): MachineSpec => ({
  name: 'tpm',
  folder,
  enter: [],
  accelerator: 'tcg',
  vcpus: 1,
  memoryMiB: 64,
  firmware: 'uefi',
  hasTpm: true,
  uuid: '00000000-0000-4000-8000-000000000000',
  smbios: {},
  disks: [],
  nics: [],
  hotplugSlots: 0,
})

test('a machine has a TPM of its own, which ends with it and is the same at the next start', async (context) => {
  const folder = await newFolder(context)
  await using machine = await startMachine(machineIn(folder))
  const first = await findTpm(folder)
  assert.notEqual(first, undefined)
  assert.deepEqual(await machine.tpmModels(), ['tpm-crb'])
  const key = await readEndorsementKey(folder, 'ecc-sec-p384')
  assert.ok(key)

  // However it ends.
  process.kill(machine.pid, 'SIGKILL')
  assert.ok(await hasEnded(folder))
  assert.ok((await stat(join(folder, 'tpm/tpm2-00.permall'))).size > 0)

  const again = await startMachine(machineIn(folder))
  assert.notEqual(await findTpm(folder), first)
  assert.deepEqual(await readEndorsementKey(folder, 'ecc-sec-p384'), key)
  await again[Symbol.asyncDispose]()
  const found = await findMachine(folder)
  assert.equal(found?.pid, again.pid)
  await found?.kill()
  assert.ok(await hasEnded(folder))
})

test('the endorsement keys of a TPM are of the common templates', async (context) => {
  const folder = await newFolder(context)
  await startTpm(folder)
  const details = async (type: 'rsa-2048' | 'ecc-sec-p384') => {
    const publicArea = await readEndorsementKey(folder, type)
    assert.ok(publicArea)
    const key = toDer(type, publicArea)
    return createPublicKey({ key, format: 'der', type: 'spki' }).asymmetricKeyDetails
  }
  assert.equal((await details('rsa-2048'))?.modulusLength, 2048)
  assert.equal((await details('ecc-sec-p384'))?.namedCurve, 'secp384r1')
  const other = await newFolder(context)
  await startTpm(other)
  assert.notDeepEqual(
    await readEndorsementKey(folder, 'rsa-2048'),
    await readEndorsementKey(other, 'rsa-2048'),
  )
})
