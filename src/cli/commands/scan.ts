/** `imago scan IMAGE`: what is installed on an image, and how its scan ended. */
import { callImago } from '../imago-client.ts'
import { readInstallation } from '../installation.ts'
import { say, type Shell } from '../shell.ts'

export interface ScanOptions {
  /** Every package, with its version and source. */
  readonly packages?: boolean
}

const labels = ['critical', 'high', 'medium', 'low', 'informational', 'untriaged']

export async function showScan(shell: Shell, image: string, options: ScanOptions): Promise<void> {
  const { access } = readInstallation(shell)
  const scan = await callImago(access, 'GET', `/imago/v1/images/${encodeURIComponent(image)}/scan`)
  if (scan['state'] !== 'scanned') {
    const why =
      typeof scan['problem'] === 'string' ? scan['problem'] : 'nothing was held against it yet'
    say(shell, `${image} is not scanned: ${why}`)
    return
  }
  const packages = (Array.isArray(scan['packages']) ? scan['packages'] : []) as readonly Package[]
  const counts = new Map(
    Object.entries((scan['findings'] ?? {}) as Readonly<Record<string, number>>),
  )
  const findings = labels.flatMap((label) => {
    const count = counts.get(label)
    return count === undefined ? [] : [`${count} ${label}`]
  })
  const what = findings.length === 0 ? 'no findings' : findings.join(', ')
  say(shell, `${String(scan['system'])}, ${packages.length} packages: ${what}`)
  if (!options.packages) return
  for (const { name, version, source } of packages) say(shell, `${name} ${version} ${source}`)
}

interface Package {
  readonly name: string
  readonly version: string
  readonly source: string
}
