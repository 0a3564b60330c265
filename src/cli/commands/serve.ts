/**
 * `imago serve`: opens the installation, has the starter image baked where there
 * is none yet, says how to use it, and closes on SIGINT or SIGTERM. Machines run on.
 */
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Config, ConfigError, readConfig } from '../../config.ts'
import { FolderInUse } from '../../db/lock.ts'
import type { Log } from '../../lib/log.ts'
import { messageOf } from '../../lib/message-of.ts'
import { type Imago, openImago } from '../../main.ts'
import { CertificateError } from '../../tls/certificate.ts'
import { checkNetwork } from '../../vpc/doctor.ts'
import { CommandFailed, hasCode } from '../failure.ts'
import { missingPackages } from '../host-tools.ts'
import { credentialsFile, noteAccess } from '../installation.ts'
import { openLog } from '../log-file.ts'
import { askForMasterKey } from '../master-key-command.ts'
import { Progress } from '../progress.ts'
import { say, type Shell } from '../shell.ts'

const pollMs = 200

export async function serve(shell: Shell): Promise<void> {
  const config = readConfig(shell.environment)
  const { dataFolder } = config
  const packages = missingPackages()
  if (packages.length > 0) {
    throw new CommandFailed(`Install what is missing: sudo apt-get install ${packages.join(' ')}`)
  }
  const lacks = checkNetwork()
  lacks.catch(() => {})
  const closing = new AbortController()
  const interrupted = once(closing.signal, 'abort')
  using _signals = shell.onInterrupt(() => closing.abort())
  const { imago, log } = await open(config)
  try {
    await noteAccess(dataFolder, { endpoint: imago.endpoint, key: imago.rootKey })
    log.info('serving', { endpoint: imago.endpoint, accelerator: imago.accelerator })
    await waitForStarter(imago, shell, closing.signal)
    if (!closing.signal.aborted) {
      await introduce(imago, config, shell)
      for (const { what, remedy } of await lacks) say(shell, `Missing: ${what}: ${remedy}`)
    }
    await interrupted
    say(shell, 'Closing; machines run on.')
  } finally {
    await imago.close()
    log.info('closed')
  }
}

/** Opens the folder and the port, or says in one line why that cannot be. */
async function open(config: Config): Promise<{ imago: Imago; log: Log }> {
  const { dataFolder, listen, masterKeyCommand } = config
  const masterKey = masterKeyCommand && (await askForMasterKey(masterKeyCommand))
  try {
    await mkdir(dataFolder, { recursive: true, mode: 0o700 })
    const log = openLog(join(dataFolder, 'imago.log'))
    return { imago: await openImago({ config, log, ...(masterKey && { masterKey }) }), log }
  } catch (error) {
    const address = `${listen.host}:${listen.port}`
    if (error instanceof FolderInUse || error instanceof ConfigError) throw error
    if (error instanceof CertificateError) throw new CommandFailed(error.message)
    if (hasCode(error, 'EADDRINUSE')) {
      throw new CommandFailed(
        `Another program listens there, so choose by IMAGO_LISTEN: ${address}`,
      )
    }
    const isListening = error instanceof Error && 'syscall' in error && error.syscall === 'listen'
    if (isListening || hasCode(error, 'EADDRNOTAVAIL', 'ENOTFOUND')) {
      throw new CommandFailed(`Cannot listen on ${address}: ${messageOf(error)}`)
    }
    if (hasCode(error, 'ENOSPC', 'EDQUOT')) {
      throw new CommandFailed(`Make room on the disk of the data folder, it is full: ${dataFolder}`)
    }
    if (hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOENT')) {
      throw new CommandFailed(
        `Cannot write to the data folder, so make it yours or choose another by IMAGO_DATA: ` +
          messageOf(error),
      )
    }
    throw new CommandFailed(`Cannot open ${dataFolder}: ${messageOf(error)}`, { cause: error })
  }
}

async function waitForStarter(imago: Imago, shell: Shell, signal: AbortSignal): Promise<void> {
  using progress = new Progress(shell)
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const starter = await imago.findStarterImport()
    if (starter?.state === 'completed') return
    if (starter?.state === 'error') {
      say(shell, `The starter image could not be baked: ${starter.message}`)
      return
    }
    if (isFirst) say(shell, 'Baking the starter image "tiny"; this is done once.')
    if (starter) progress.show(starter)
    await wait(pollMs)
  }
}

async function introduce(imago: Imago, config: Config, shell: Shell): Promise<void> {
  const { endpoint, fingerprint, accelerator, rootKey } = imago
  const { dataFolder, regions } = config
  const starter = await imago.findStarterImport()
  const command = relative(shell.folder, join(shell.repository, 'bin', 'imago'))
  const guests =
    accelerator.accelerator === 'kvm'
      ? `KVM (${accelerator.why})`
      : `TCG, which needs no hardware and is slower than KVM (${accelerator.why})`
  say(
    shell,
    [
      `Imago listens on ${endpoint}`,
      ...(fingerprint ? [`  certificate      SHA-256 ${fingerprint}`] : []),
      `  guests run on    ${guests}`,
      `  data folder      ${dataFolder}`,
      `  starter image    ${starter?.imageId ?? 'none'} (tiny: log in as root)`,
      `  the AWS CLI      ${command} aws ec2 describe-images --owners amazon`,
      `  other clients    export AWS_ENDPOINT_URL=${endpoint} AWS_DEFAULT_REGION=${regions[0]}`,
      `                   export AWS_SHARED_CREDENTIALS_FILE=${credentialsFile(dataFolder)}`,
      `                   (key ${rootKey.id}; its secret is in that file)`,
      `  a tour           ${command} demo`,
    ].join('\n'),
  )
}
