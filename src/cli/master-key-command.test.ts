import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { askForMasterKey } from './master-key-command.ts'

test('a command prints the master key as it is, in hex or in base64', async () => {
  const key = randomBytes(32)
  const octal = [...key].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
  for (const command of [
    `printf '${octal}'`,
    `echo ${key.toString('hex')}`,
    `echo ${key.toString('base64')}`,
  ])
    assert.deepEqual(Buffer.from(await askForMasterKey(command)), key)
})

test('a command that fails or prints something else is refused, and its output is not shown', async () => {
  for (const command of ['exit 1', 'echo SECRET; exit 1', 'true', 'echo SECRET', 'yes SECRET']) {
    await assert.rejects(askForMasterKey(command), (error: Error) => {
      assert.match(error.message, /^IMAGO_MASTER_KEY_COMMAND/)
      assert.doesNotMatch(error.message, /SECRET/)
      return true
    })
  }
})
