/** Real machines, most of them held before their first instruction. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { decode } from 'jpeg-js'
import { createVolume } from './layers.ts'
import { AgentSilent } from './guest-agent.ts'
import { findMachine, type MachineEvent } from './machine.ts'
import { listMachineProcesses } from './machine-process.ts'
import { MachineFailed, startMachine } from './start-machine.ts'
import {
  countingDisks,
  countsOn,
  diskOf,
  found,
  machineOf,
  MiB,
  scratch,
  until,
} from './test-rig.ts'

const run = promisify(execFile)

test('a machine runs its guest until it is killed', async (context) => {
  const folder = await scratch(context)
  await using machine = await startMachine(machineOf(folder, await countingDisks(folder)))
  await countsOn(folder, 10)

  assert.equal(await machine.state(), 'running')
  for (const wakesUp of [false, true]) {
    const { width, height } = decode(await machine.screenshot({ wakesUp }))
    assert.deepEqual([width, height], [720, 400])
  }
  await machine.kill()

  assert.equal(await findMachine(machine.folder), undefined)
  assert.equal(await findMachine(join(folder, 'nowhere')), undefined)
})

test('a machine outlives the process that started it, and is found again', async (context) => {
  const folder = await scratch(context)
  const spec = machineOf(folder, await countingDisks(folder))
  const program = `
    import { startMachine } from ${JSON.stringify(import.meta.resolve('./start-machine.ts'))}
    const machine = await startMachine(JSON.parse(process.argv[1]))
    console.log(machine.pid)
    process.kill(process.pid, 'SIGKILL')`
  const child = run(process.execPath, [
    '--input-type=module',
    '--eval',
    program,
    JSON.stringify(spec),
  ])
  const { stdout } = await child.catch((error: { stdout: string }) => error)

  await using machine = await found(folder)

  assert.equal(machine.pid, Number(stdout))
  assert.equal(await machine.state(), 'running')
  assert.deepEqual(Object.fromEntries(await machine.topLayers()), { 'disk-a': 1, 'disk-b': 1 })
  await countsOn(folder, 10)
})

test('a machine that QEMU refuses fails with what QEMU said', async (context) => {
  const folder = await scratch(context)
  const spec = machineOf(folder, [])

  await assert.rejects(startMachine({ ...spec, memoryMiB: 1e9 }), /cannot|Cannot|memory/)
  await assert.rejects(startMachine({ ...spec, enter: ['no-such-program'] }), MachineFailed)

  const [disk] = await countingDisks(folder)
  await rm(join(folder, 'base.raw'))
  await assert.rejects(startMachine({ ...spec, disks: [disk] }), /base.raw.*No such file/)
  assert.match(await readFile(join(folder, 'run/qemu.log'), 'utf8'), /No such file/)
})

test('neither a folder nor a volume is had by two machines', async (context) => {
  const folder = await scratch(context)
  const other = await scratch(context)
  const disks = await countingDisks(folder)
  await using machine = await startMachine({ ...machineOf(folder, disks), startsPaused: true })

  await assert.rejects(startMachine(machineOf(folder, [])), /PID|pid/)
  await assert.rejects(startMachine(machineOf(other, disks)), /lock/)

  await using same = await startsOver(folder, machine)
  assert.equal(same.pid, machine.pid)
})

async function startsOver(folder: string, machine: AsyncDisposable): ReturnType<typeof found> {
  await machine[Symbol.asyncDispose]()
  return found(folder)
}

test('a machine has a network where `enter` leads', async (context) => {
  const folder = await scratch(context)
  const spec = machineOf(folder, [])
  const nics = [{ id: 'nic', mac: '02:00:00:00:00:01', tap: 'tap0' }]
  const tap = 'ip tuntap add tap0 mode tap && exec "$@"'
  const enter = ['unshare', '--user', '--map-root-user', '--net', 'sh', '-c', tap, 'sh']

  await using machine = await startMachine({ ...spec, enter, nics, startsPaused: true })

  assert.equal(await machine.state(), 'prelaunch')
  await machine.kill()
})

test('the death of QEMU is told', async (context) => {
  const folder = await scratch(context)
  await using machine = await startMachine({ ...machineOf(folder, []), startsPaused: true })
  const events: MachineEvent[] = []
  machine.onEvent((event) => events.push(event))

  process.kill(machine.pid, 'SIGKILL')

  await until(async () => events.some(({ event }) => event === 'GONE'))
  assert.equal(machine.isConnected, false)
  await machine.kill()
  assert.equal(await findMachine(machine.folder), undefined)
})

test('a reset starts the guest again', async (context) => {
  const folder = await scratch(context)
  await using machine = await startMachine(machineOf(folder, await countingDisks(folder)))
  const events: string[] = []
  machine.onEvent(({ event }) => events.push(event))
  await countsOn(folder, 5)

  await machine.stop()
  assert.equal(await machine.state(), 'paused')
  await machine.reset()

  await until(async () => events.includes('RESET'))
  await countsOn(folder, 5)
})

test('a machine starts with UEFI, and keeps its variables', async (context) => {
  const folder = await scratch(context)
  const spec = { ...machineOf(folder, []), firmware: 'uefi', memoryMiB: 64 } as const
  const variables = join(folder, 'run/uefi-variables.fd')

  await using first = await startMachine({ ...spec, startsPaused: true })
  await first.kill()
  const { ino } = await stat(variables)
  await using second = await startMachine({ ...spec, startsPaused: true })
  await second.kill()

  assert.equal((await stat(variables)).ino, ino)
})

test('a machine may be in a folder whose path is too long for a socket, or odd', async (context) => {
  const odd = `it's $HOME "of" \\040 \n \`id\` # ü, ${'long'.repeat(40)}`
  const folder = join(await scratch(context), odd)
  await mkdir(join(folder, 'run'), { recursive: true })
  const disk = diskOf(folder, 'disk,with,commas')
  const spec = { ...machineOf(folder, [{ ...disk, id: 'disk' }]), startsPaused: true }
  await createVolume(disk.folder, { sizeBytes: MiB })

  await using machine = await startMachine(spec)
  await using again = await startsOver(folder, machine)

  assert.equal(again.pid, machine.pid)
  const [found] = await listMachineProcesses(folder)
  assert(found?.files.includes(join(disk.folder, '1.qcow2')))
  await again.kill()
})

test('a guest without an agent is silent, and one with an agent is understood', async (context) => {
  const folder = await scratch(context)
  await using machine = await startMachine({ ...machineOf(folder, []), startsPaused: true })
  await assert.rejects(machine.guestAgent('guest-ping', { timeoutMs: 100 }), AgentSilent)
  await machine.kill()

  // In the agent's place: an answer to an earlier question comes first.
  const agent = createServer((socket) => {
    socket.write('{"return": 99}\n')
    socket.on('data', (bytes) => {
      for (const line of bytes.toString('latin1').replace('\xff', '').split('\n')) {
        if (line.includes('guest-sync'))
          socket.write(line.replace(/.*"id":(\d+).*/, '{"return": $1}\n'))
        if (line.includes('fsfreeze-freeze')) socket.write('{"return": 3}\n')
        if (line.includes('thaw'))
          socket.write('{"error": {"class": "GenericError", "desc": "no"}}\n')
      }
    })
  })
  const { promise: listening, resolve } = Promise.withResolvers<void>()
  const path = join(folder, 'run/guest-agent.sock')
  await rm(path, { force: true })
  agent.listen(path, resolve)
  context.after(() => agent.close())
  await listening
  assert.equal(await machine.guestAgent('guest-fsfreeze-freeze', { timeoutMs: 5_000 }), 3)
  const refused = machine.guestAgent('guest-fsfreeze-thaw', { timeoutMs: 5_000 })
  await assert.rejects(refused, { name: 'AgentRefusal' })
})
