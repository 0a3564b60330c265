/**
 * `imago console INSTANCE`: the serial console, live. What it said last comes
 * first; Ctrl-] leaves. Works without the service too, where the id is given.
 */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { readConfig } from '../../config.ts'
import { isId } from '../../lib/ids.ts'
import { messageOf } from '../../lib/message-of.ts'
import { machineFiles } from '../../qemu/machine-spec.ts'
import { CommandFailed } from '../failure.ts'
import { findInstance } from '../find-instance.ts'
import { readInstallation } from '../installation.ts'
import type { Shell } from '../shell.ts'

const tailBytes = 4_096
/** Ctrl-] */
const leave = 0x1d

export async function showConsole(shell: Shell, wanted: string): Promise<void> {
  const { dataFolder } = readConfig(shell.environment)
  const isLocalId = isId('instance', wanted) && existsSync(join(dataFolder, 'run', wanted))
  const id = isLocalId ? wanted : (await findInstance(readInstallation(shell).access, wanted)).id
  const folder = join(dataFolder, 'run', id)
  // Before anything is shown: whoever has seen enough may press Ctrl-C at once.
  const left = Promise.withResolvers<void>()
  using _signals = shell.onInterrupt(left.resolve)
  shell.output.write(await tailOf(join(folder, machineFiles.console)))
  const serial = await connectIn(folder, id)
  shell.errors.write('[the console is yours; Ctrl-] leaves]\r\n')
  await converse(shell, serial, left)
}

/** The path of a socket may have 107 bytes only, so it is named from within its folder. */
async function connectIn(folder: string, id: string): Promise<Socket> {
  try {
    process.chdir(folder)
    const socket = connect(machineFiles.serial)
    await once(socket, 'connect')
    return socket
  } catch (error) {
    throw new CommandFailed(`The instance has no machine that runs: ${id}: ${messageOf(error)}`)
  }
}

async function converse(
  shell: Shell,
  serial: Socket,
  done: PromiseWithResolvers<void>,
): Promise<void> {
  const { input, output } = shell
  serial.on('data', (bytes) => output.write(bytes))
  serial.on('close', done.resolve).on('error', done.resolve)
  const isTerminal = input.isTTY
  if (isTerminal) input.setRawMode(true)
  input.on('data', (bytes: Buffer) => {
    if (isTerminal && bytes.includes(leave)) done.resolve()
    else serial.write(bytes)
  })
  await done.promise
  if (isTerminal) input.setRawMode(false)
  input.pause()
  serial.destroy()
  shell.errors.write('\r\n')
}

async function tailOf(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path, 'r')
    const { size } = await file.stat()
    const bytes = Buffer.alloc(Math.min(size, tailBytes))
    await file.read(bytes, 0, bytes.length, size - bytes.length)
    return bytes
  } catch {
    return new Uint8Array()
  }
}
