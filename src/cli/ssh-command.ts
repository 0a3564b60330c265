/** The `ssh` that reaches a machine. Each instance has a host key of its own, known by its id. */
import { join } from 'node:path'

export interface SshTarget {
  readonly instanceId: string
  readonly address: string
  readonly port: number
  readonly user: string
  readonly keyFile: string | undefined
  readonly dataFolder: string
}

export function sshCommand(target: SshTarget): readonly string[] {
  const { instanceId, address, port, user, keyFile, dataFolder } = target
  const options = [
    'StrictHostKeyChecking=accept-new',
    `HostKeyAlias=${instanceId}`,
    `UserKnownHostsFile="${join(dataFolder, 'known-hosts')}"`,
    'LogLevel=ERROR',
  ]
  return [
    'ssh',
    ...options.flatMap((option) => ['-o', option]),
    ...(keyFile === undefined ? [] : ['-o', 'IdentitiesOnly=yes', '-i', keyFile]),
    '-p',
    String(port),
    '-l',
    user,
    address,
  ]
}
