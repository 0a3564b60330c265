/** Against a real QEMU: a machine with no disk, held before its first instruction. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Qmp, QmpGone, QmpRefusal } from './qmp.ts'
import { scratch, until } from './test-rig.ts'

async function startQemu(
  context: TestContext,
): Promise<{ readonly socketPath: string; readonly exited: Promise<unknown> }> {
  const socketPath = join(await scratch(context), 'qmp.sock')
  const paused = ['-nodefaults', '-display', 'none', '-S', '-machine', 'none,accel=tcg']
  const monitor = ['-qmp', `unix:${socketPath},server=on,wait=off`]
  const qemu = spawn('qemu-system-x86_64', [...paused, ...monitor])
  const exited = once(qemu, 'exit')
  context.after(async () => {
    qemu.kill('SIGKILL')
    await exited
  })
  const answers = async (): Promise<boolean> =>
    Qmp.open(socketPath).then(
      async (qmp) => qmp[Symbol.asyncDispose]().then(() => true),
      () => false,
    )
  await until(answers)
  return { socketPath, exited }
}

test('a machine starts paused, runs when told to, and tells of it', async (context) => {
  const { socketPath } = await startQemu(context)
  const events: string[] = []
  await using qmp = await Qmp.open(socketPath, { event: ({ event }) => events.push(event) })

  assert.equal((await qmp.run('query-status', undefined)).status, 'prelaunch')
  await qmp.run('cont', undefined)

  assert.equal((await qmp.run('query-status', undefined)).status, 'running')
  assert.deepEqual(events, ['RESUME'])
})

test('a refusal carries what QEMU said', async (context) => {
  const { socketPath } = await startQemu(context)
  await using qmp = await Qmp.open(socketPath)

  // @ts-expect-error: not a command that we use, which is the point.
  const refused = qmp.run('no-such-command', undefined)

  await assert.rejects(
    refused,
    (error) => error instanceof QmpRefusal && error.kind === 'CommandNotFound',
  )
})

test('commands under way fail when QEMU dies, and so do those after', async (context) => {
  const { socketPath, exited } = await startQemu(context)
  let isClosed = false
  await using qmp = await Qmp.open(socketPath, { closed: () => (isClosed = true) })

  await qmp.run('quit', undefined)
  await exited

  await assert.rejects(qmp.run('query-status', undefined), QmpGone)
  await until(async () => isClosed)
})
