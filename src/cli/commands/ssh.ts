/** `imago ssh INSTANCE [-- COMMAND]`: logs in as who can, with the key that fits, once SSH answers. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { CommandFailed } from '../failure.ts'
import { findRunningInstance } from '../find-instance.ts'
import { readInstallation } from '../installation.ts'
import { findLoginName } from '../login-name.ts'
import { runProgram } from '../run-program.ts'
import type { Shell } from '../shell.ts'
import { sshCommand } from '../ssh-command.ts'
import { waitForSsh } from '../ssh-port.ts'

export interface SshOptions {
  readonly identity?: string
  readonly login?: string
}

const waitMs = 300_000

export async function ssh(
  shell: Shell,
  wanted: string,
  command: readonly string[],
  options: SshOptions,
): Promise<number> {
  const { config, access } = readInstallation(shell)
  const { dataFolder } = config
  const instance = await findRunningInstance(access, wanted)
  const { id: instanceId, publicAddress: address, keyName, imageId } = instance
  if (!address) throw new CommandFailed(`The instance has no public address: ${instanceId}`)
  const user = options.login ?? (await findLoginName(access, imageId))
  if (!user) {
    throw new CommandFailed(`Say who logs in with -l USER: nobody knows it of ${imageId}`)
  }
  const keyFile = options.identity ?? findKeyFile(keyName, shell, dataFolder)
  if (keyName && !keyFile) {
    throw new CommandFailed(`Say where the key is with -i FILE: ${keyName}.pem is not here`)
  }
  const port = await waitForSsh(address, { timeoutMs: waitMs })
  if (port === undefined) {
    throw new CommandFailed(
      `SSH of ${instanceId} does not answer at ${address}: look at "imago console ${instanceId}", ` +
        'and whether a security group opens port 22 to 0.0.0.0/0',
    )
  }
  const target = { instanceId, address, port, user, keyFile, dataFolder }
  return await runProgram(shell, [...sshCommand(target), ...command])
}

function findKeyFile(keyName: string, shell: Shell, dataFolder: string): string | undefined {
  // A name is anything that fits into 255 characters; one with a slash is not looked for.
  if (keyName === '' || keyName.includes('/')) return undefined
  const folders = [shell.folder, join(homedir(), '.ssh'), join(dataFolder, 'keys')]
  return folders
    .flatMap((folder) => [join(folder, `${keyName}.pem`), join(folder, keyName)])
    .find((path) => existsSync(path))
}
