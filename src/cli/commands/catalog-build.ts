/** `imago catalog build RECIPE`: bakes a starter image on this machine. */
import { followImport } from '../follow-import.ts'
import { callImago } from '../imago-client.ts'
import { readInstallation } from '../installation.ts'
import { say, type Shell } from '../shell.ts'

export async function buildCatalogImage(shell: Shell, recipe: string): Promise<void> {
  const { access } = readInstallation(shell)
  const path = `/imago/v1/catalog/${encodeURIComponent(recipe)}`
  const begun = await callImago(access, 'POST', path)
  say(shell, await followImport(access, begun, shell))
}
