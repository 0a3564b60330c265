/** What the service needs of its host, looked at one by one. */
import { execFile } from 'node:child_process'
import { access, constants, mkdtemp, rm, statfs } from 'node:fs/promises'
import { connect } from 'node:net'
import { once } from 'node:events'
import { availableParallelism, freemem, tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { checkCatalog } from '../catalog/bake.ts'
import { type Config, openFilesMax, readConfig } from '../config.ts'
import { messageOf } from '../lib/message-of.ts'
import { probeAccelerator, runGuest } from '../qemu/accelerator.ts'
import { Secret } from '../lib/secret.ts'
import { tryWalls } from '../qemu/confine.ts'
import { prepareUefi } from '../qemu/firmware.ts'
import { folderOfSecrets, SecretFiles } from '../qemu/secret-file.ts'
import { tpmProblem } from '../qemu/tpm.ts'
import { checkNetwork } from '../vpc/doctor.ts'
import { findTool } from '../vpc/run.ts'
import { hasCode } from './failure.ts'
import { hostTools } from './host-tools.ts'
import { credentialsFile, readInstallation } from './installation.ts'
import { findProgram } from './run-program.ts'
import type { Shell } from './shell.ts'
import { send } from './signed-request.ts'

export interface Check {
  readonly verdict: 'good' | 'poor' | 'bad'
  readonly what: string
  /** What to type, or to change. */
  readonly remedy?: string
}

const gibibyte = 2 ** 30
const freeGiBMin = 5
const freeMemoryGiBMin = 1
const openFilesMin = 4096
const run = promisify(execFile)

export async function* hostChecks(shell: Shell): AsyncGenerator<Check> {
  yield { verdict: 'good', what: `Node ${process.versions.node}` }
  yield* checkTools()
  yield* checkGuests()
  yield* checkWalls()
  yield* checkNetworks()
  yield* checkRecipes()
  yield* checkClients(shell)
  const config = readConfig(shell.environment)
  yield await checkMemory()
  yield checkOpenFiles()
  yield await checkDataFolder(config.dataFolder)
  yield await checkDisk(config.dataFolder)
  yield await checkPort(shell, config)
}

async function* checkTools(): AsyncGenerator<Check> {
  for (const tool of hostTools) {
    const path = findTool(tool.name)
    if (path === undefined) {
      const remedy = `sudo apt-get install ${tool.package}`
      yield { verdict: 'bad', what: `the program ${tool.name} is not there`, remedy }
    } else if (tool.name.startsWith('qemu-')) {
      const { stdout } = await run(path, ['--version']).catch(() => ({ stdout: '' }))
      const version = /version (\S+)/.exec(stdout)?.[1] ?? 'of an unknown version'
      yield { verdict: 'good', what: `${tool.name} ${version}` }
    }
  }
}

/** The guest is run for real, whatever was found out before. */
async function* checkGuests(): AsyncGenerator<Check> {
  if (findTool('qemu-system-x86_64') === undefined) return
  const folder = await mkdtemp(join(tmpdir(), 'imago-doctor-'))
  try {
    const { accelerator, why } = await probeAccelerator('auto', { folder, isFresh: true })
    if (accelerator === 'kvm') {
      yield { verdict: 'good', what: `KVM runs guests: ${why}` }
    } else {
      yield {
        verdict: 'poor',
        what: `KVM runs no guest, so TCG does, which is slower: ${why}`,
        remedy: why.includes('EACCES')
          ? 'sudo usermod --append --groups kvm "$USER", then log in again'
          : 'needs a processor with virtualisation, switched on in the firmware (or nested, in a VM)',
      }
      const failure = await runGuest('tcg', folder)
      if (failure !== undefined) yield { verdict: 'bad', what: `TCG runs no guest: ${failure}` }
    }
    const noTpm = tpmProblem()
    yield noTpm === undefined
      ? { verdict: 'good', what: 'TPMs for guests' }
      : { verdict: 'poor', what: noTpm, remedy: 'sudo apt-get install swtpm' }
    await prepareUefi(join(folder, 'variables.fd'))
    yield { verdict: 'good', what: 'UEFI firmware for guests' }
  } catch (error) {
    const remedy = 'sudo apt-get install ovmf'
    yield { verdict: 'poor', what: `no UEFI for guests: ${messageOf(error)}`, remedy }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What keeps machines from each other, and secrets from the disk. */
async function* checkWalls(): AsyncGenerator<Check> {
  const folder = await mkdtemp(join(tmpdir(), 'imago-doctor-'))
  try {
    await tryWalls(folder)
    yield { verdict: 'good', what: 'walls around guests: namespaces of mounts and processes' }
  } catch (error) {
    yield {
      verdict: 'bad',
      what: `no walls around guests: ${messageOf(error)}`,
      remedy: 'sudo sysctl -w user.max_mnt_namespaces=15000 user.max_pid_namespaces=15000',
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await using _files = await SecretFiles.open([{ id: 'probe', secret: new Secret('probe') }])
    yield {
      verdict: 'good',
      what: `memory for secrets: ${folderOfSecrets}`,
    }
  } catch (error) {
    yield {
      verdict: 'bad',
      what: `no memory for secrets, so no encrypted disks: ${messageOf(error)}`,
      remedy: 'sudo mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm',
    }
  }
}

async function* checkNetworks(): AsyncGenerator<Check> {
  const lacks = (await checkNetwork()).filter(({ what }) => !what.startsWith('the program'))
  if (lacks.length === 0) {
    yield { verdict: 'good', what: 'networks: namespaces, bridges, taps, nftables' }
  }
  for (const { what, remedy, isFatal } of lacks) {
    yield { verdict: isFatal ? 'bad' : 'poor', what: `${what} is missing`, remedy }
  }
  if (findTool('slirp4netns') === undefined) {
    const remedy = 'sudo apt-get install slirp4netns'
    yield { verdict: 'bad', what: 'no way in or out of the networks of guests', remedy }
  }
}

async function* checkRecipes(): AsyncGenerator<Check> {
  for (const check of await checkCatalog()) {
    const { recipe } = check
    if (check.ok) yield { verdict: 'good', what: `the starter image ${recipe} can be baked` }
    else {
      const what = `the starter image ${recipe} cannot be baked`
      yield { verdict: 'poor', what, remedy: check.advice }
    }
  }
}

async function* checkClients(shell: Shell): AsyncGenerator<Check> {
  for (const [program, name] of [
    ['aws', 'awscli'],
    ['ssh', 'openssh-client'],
  ] as const) {
    if (findProgram(shell, program)) yield { verdict: 'good', what: `${program} is there` }
    else {
      const remedy = `sudo apt-get install ${name}`
      yield { verdict: 'poor', what: `"imago ${program}" needs ${program}`, remedy }
    }
  }
}

async function checkMemory(): Promise<Check> {
  const totalGiB = totalmem() / gibibyte
  const freeGiB = freemem() / gibibyte
  const what = `${availableParallelism()} processors, ${totalGiB.toFixed(1)} GiB of memory`
  if (freeGiB >= freeMemoryGiBMin) return { verdict: 'good', what }
  return { verdict: 'poor', what: `${what}, of which only ${freeGiB.toFixed(1)} GiB are free` }
}

/** A connection is an open file, and so is each file of the block store that is read. */
function checkOpenFiles(): Check {
  const most = openFilesMax()
  const what = `${most} files and connections may be open at a time`
  if (most >= openFilesMin) return { verdict: 'good', what }
  return { verdict: 'poor', what, remedy: `ulimit -n ${openFilesMin}, before the service starts` }
}

async function checkDataFolder(dataFolder: string): Promise<Check> {
  try {
    await access(await existingFolder(dataFolder), constants.R_OK | constants.W_OK | constants.X_OK)
    return { verdict: 'good', what: `the data folder ${dataFolder}` }
  } catch (error) {
    return {
      verdict: 'bad',
      what: `the data folder cannot be written to: ${messageOf(error)}`,
      remedy: 'make it yours, or choose another by IMAGO_DATA',
    }
  }
}

/** The folder, or the one above it that is there, in which it would be made. */
async function existingFolder(folder: string): Promise<string> {
  const isThere = await access(folder).then(
    () => true,
    (error: unknown) => !hasCode(error, 'ENOENT'),
  )
  return isThere ? folder : await existingFolder(dirname(folder))
}

async function checkDisk(dataFolder: string): Promise<Check> {
  try {
    const folder = await statfs(await existingFolder(dataFolder))
    const freeGiB = (folder.bavail * folder.bsize) / gibibyte
    const what = `${freeGiB.toFixed(1)} GiB are free on the disk of the data folder`
    if (freeGiB >= freeGiBMin) return { verdict: 'good', what }
    return { verdict: 'poor', what, remedy: `${freeGiBMin} GiB are little enough for images` }
  } catch (error) {
    return { verdict: 'poor', what: `how full the disk is is unknown: ${messageOf(error)}` }
  }
}

/** The port is free, or it is our own service that has it. */
async function checkPort(shell: Shell, { listen, dataFolder }: Config): Promise<Check> {
  const address = `${listen.host}:${listen.port}`
  const socket = connect(listen)
  try {
    await once(socket, 'connect')
  } catch (error) {
    if (hasCode(error, 'ECONNREFUSED')) return { verdict: 'good', what: `${address} is free` }
    return { verdict: 'bad', what: `${address} cannot be listened on: ${messageOf(error)}` }
  } finally {
    socket.destroy()
  }
  try {
    const { access: own } = readInstallation(shell)
    const request = { service: 'imago', method: 'GET', contentType: 'application/json' } as const
    const path = '/imago/v1/garbage-collections'
    const { status } = await send(own, { ...request, path, body: '' })
    if (status === 200) return { verdict: 'good', what: `the service answers on ${own.endpoint}` }
  } catch {
    // Whoever it is that answers there, it is not this installation.
  }
  return {
    verdict: 'bad',
    what: `another program listens on ${address}, and knows no key of ${credentialsFile(dataFolder)}`,
    remedy: 'choose another by IMAGO_LISTEN',
  }
}
