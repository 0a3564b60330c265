/** `imago import FILE|URL --name NAME`: makes an image of a disk from elsewhere. */
import { resolve } from 'node:path'
import { followImport } from '../follow-import.ts'
import { callImago } from '../imago-client.ts'
import { readInstallation } from '../installation.ts'
import { say, type Shell } from '../shell.ts'

export interface ImportOptions {
  readonly name: string
  readonly description?: string
  readonly architecture?: string
  readonly bootMode?: string
}

export async function importDisk(
  shell: Shell,
  from: string,
  options: ImportOptions,
): Promise<void> {
  const { access } = readInstallation(shell)
  const source = /^https?:\/\//i.test(from) ? from : resolve(shell.folder, from)
  const begun = await callImago(access, 'POST', '/imago/v1/imports', { ...options, source })
  say(shell, await followImport(access, begun, shell))
}
