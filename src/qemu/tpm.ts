/**
 * The TPM of a machine: a process beside QEMU, which alone talks to it. It ends
 * when QEMU does, however that ends, and its state stays in the machine's folder.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { open, readFile, readlink, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { toolEnvironment } from '../vpc/run.ts'
import { confined, nameOutside } from './confine.ts'
import { machineFiles } from './machine-spec.ts'
import { keyFile, makeTpm } from './make-tpm.ts'
import { ownFile } from './own-file.ts'
import type { EndorsementKeyType } from './tpm-key.ts'

const channel = `type=unixio,path=${machineFiles.tpmSocket},mode=0600`
const startMs = 10_000
const endMs = 10_000
const patienceMs = 1_000
const stepMs = 5

const tpmPackage = 'swtpm'

const programs = ['/usr/bin/swtpm', '/usr/local/bin/swtpm', '/bin/swtpm']

/** The program that is a TPM, where the host has it. */
export function findTpmProgram(): string | undefined {
  return programs.find((path) => existsSync(path))
}

/** Why no machine can have a TPM here, if none can. */
export function tpmProblem(): string | undefined {
  if (findTpmProgram() !== undefined) return undefined
  return `This host has no TPMs for machines: install the package "${tpmPackage}".`
}

/** Starts the TPM of the folder (its real path), making it where there is none yet. */
export async function startTpm(folder: string): Promise<void> {
  const program = findTpmProgram()
  if (program === undefined) throw new Error(tpmProblem())
  await endTpm(folder)
  await makeTpm(folder, program)
  await rm(join(folder, machineFiles.tpmSocket), { force: true })
  await using log = await open(join(folder, machineFiles.tpmLog), 'a')
  const pidFile = join(folder, machineFiles.tpmPid)
  const [first = '', ...walls] = await confined(folder, { enter: [], views: [], pidFile })
  // Paths are short, and need no escapes, where they are relative.
  const swtpm = spawn(
    first,
    [...walls, program, 'socket', '--tpm2', '--terminate'].concat(
      ['--tpmstate', `dir=${machineFiles.tpm},mode=0600`],
      ['--ctrl', channel],
    ),
    { cwd: folder, detached: true, stdio: ['ignore', log.fd, log.fd], env: toolEnvironment },
  )
  let failure: string | undefined
  swtpm.on('error', ({ message }) => (failure = message))
  swtpm.on('exit', (code, signal) => (failure = String(signal ?? `exit ${code}`)))
  swtpm.unref()
  for (let waitedMs = 0; waitedMs < startMs && failure === undefined; waitedMs += stepMs) {
    const isReady = existsSync(join(folder, machineFiles.tpmSocket))
    if (isReady && (await findTpm(folder)) !== undefined) return
    await wait(stepMs)
  }
  throw new Error(`the TPM does not start: ${failure ?? `not ready in ${startMs} ms`}`)
}

/** Ends what runs as the TPM of the folder, where something does. */
export async function endTpm(folder: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < endMs; waitedMs += stepMs) {
    const pid = await findTpm(folder)
    if (pid === undefined) {
      await rm(join(folder, machineFiles.tpmPid), { force: true })
      return
    }
    if (waitedMs === 0) kill(pid, 'SIGTERM')
    if (waitedMs === patienceMs) kill(pid, 'SIGKILL')
    await wait(stepMs)
  }
  throw new Error(`the TPM of ${folder} does not end`)
}

/** Its process. A number alone may by now be another's: it counts where that one runs in the folder. */
export async function findTpm(folder: string): Promise<number | undefined> {
  const text = await readFile(join(folder, machineFiles.tpmPid), 'utf8').catch(() => '')
  const pid = Number(text.trim())
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  const [place = '', root = ''] = await Promise.all(
    ['cwd', 'root'].map((name) => readlink(`/proc/${pid}/${name}`).catch(() => '')),
  )
  const isOurs = nameOutside(place, root) === folder && line.split('\0').includes(channel)
  return isOurs ? pid : undefined
}

/** The public half of an endorsement key, as TPMT_PUBLIC; nothing where there is no TPM yet. */
export async function readEndorsementKey(
  folder: string,
  type: EndorsementKeyType,
): Promise<Uint8Array | undefined> {
  const path = join(folder, machineFiles.tpm, keyFile(type))
  return readFile(path, { flag: ownFile }).catch(() => undefined)
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}
