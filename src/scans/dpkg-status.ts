/**
 * The packages of Debian and Ubuntu, as dpkg keeps them in `/var/lib/dpkg/status`, or in files of their
 * own beside it, which images of containers have.
 * https://www.debian.org/doc/debian-policy/ch-controlfields.html
 */
import { isWord, type PackageEntry } from './inventory.ts'
import { paragraphsIn } from './paragraphs.ts'

/** Their files are gone. */
const absent = ['not-installed', 'config-files']

const names = new Set(['Package', 'Version', 'Status', 'Source'])

export function* readDpkgStatus(text: string, path: string): Generator<PackageEntry> {
  for (const fields of paragraphsIn(text, names)) {
    const entry = readParagraph(fields, path)
    if (entry) yield entry
  }
}

function readParagraph(
  fields: ReadonlyMap<string, string>,
  path: string,
): PackageEntry | undefined {
  const [name, version] = [fields.get('Package'), fields.get('Version')]
  const state = fields.get('Status')?.split(/\s+/)[2]
  if (!isWord(name) || !isWord(version)) return undefined
  if (state !== undefined && absent.includes(state)) return undefined
  const [sourceName = name, inBrackets] = (fields.get('Source') ?? '').split(/\s+/).filter(Boolean)
  const sourceVersion = /^\((.+)\)$/.exec(inBrackets ?? '')?.[1] ?? version
  if (!isWord(sourceName) || !isWord(sourceVersion)) return undefined
  return { name, version, path, ...signedBy(sourceName, sourceVersion) }
}

/** A kernel that is signed has a source of its own, made of the one that advisories are about. */
function signedBy(
  name: string,
  version: string,
): Pick<PackageEntry, 'sourceName' | 'sourceVersion'> {
  const [, rest] = /^linux-signed(-.*)?$/.exec(name) ?? []
  const isSigned = name.startsWith('linux-signed')
  if (!isSigned) return { sourceName: name, sourceVersion: version }
  // Debian's is of an architecture, with a plus in the place of the dash; Ubuntu's of a flavour.
  const isDebian = /^-(amd64|arm64|i386)$/.test(rest ?? '')
  return isDebian
    ? { sourceName: 'linux', sourceVersion: version.replace('+', '-') }
    : { sourceName: `linux${rest ?? ''}`, sourceVersion: version }
}
