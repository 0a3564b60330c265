/** `imago scan IMAGE`: what is installed on an image, and how its scan ended. */
import { callEc2 } from '../ec2-client.ts'
import { callImago } from '../imago-client.ts'
import { type Access, readInstallation } from '../installation.ts'
import { say, type Shell } from '../shell.ts'
import { itemsAt, textAt } from '../xml.ts'

export interface ScanOptions {
  /** Each finding, the most severe first. */
  readonly findings?: boolean
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
  if (options.findings) await showFindings(shell, access, image)
  if (!options.packages) return
  for (const { name, version, source } of packages) say(shell, `${name} ${version} ${source}`)
}

async function showFindings(shell: Shell, access: Access, ImageId: string): Promise<void> {
  const answer = await callEc2(access, 'GetImageFindings', { ImageId })
  const found = itemsAt(answer, 'imageFindingSet').map((item) => ({
    label: textAt(item, 'severityLabel') || 'untriaged',
    score: textAt(item, 'score'),
    title: textAt(item, 'title'),
    hasFix: textAt(item, 'fixAvailable') === 'true',
  }))
  for (const { label, score, title, hasFix } of found.toSorted(
    (one, other) => labels.indexOf(one.label) - labels.indexOf(other.label),
  )) {
    say(
      shell,
      `${label.padEnd(13)} ${score.padStart(4)}  ${title}${hasFix ? ' (fix available)' : ''}`,
    )
  }
}

interface Package {
  readonly name: string
  readonly version: string
  readonly source: string
}
