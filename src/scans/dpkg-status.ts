/**
 * The packages of Debian and Ubuntu, as dpkg keeps them in `/var/lib/dpkg/status`, or in files of their
 * own beside it, which images of containers have.
 * https://www.debian.org/doc/debian-policy/ch-controlfields.html
 */
import { isWord, type PackageEntry } from './inventory.ts'

/** Their files are gone. */
const absent = ['not-installed', 'config-files']

export function readDpkgStatus(text: string, path: string): readonly PackageEntry[] {
  return text.split(/\n[ \t]*\n/).flatMap((paragraph) => readParagraph(paragraph, path))
}

function readParagraph(paragraph: string, path: string): readonly PackageEntry[] {
  const fields = new Map<string, string>()
  for (const line of paragraph.split('\n')) {
    // What goes on from the line before is of no interest here.
    const colon = line.indexOf(':')
    if (colon > 0 && !/^\s/.test(line)) {
      fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
    }
  }
  const [name, version] = [fields.get('package'), fields.get('version')]
  const state = fields.get('status')?.split(/\s+/)[2]
  if (!isWord(name) || !isWord(version)) return []
  if (state !== undefined && absent.includes(state)) return []
  const [sourceName = name, inBrackets] = (fields.get('source') ?? '').split(/\s+/).filter(Boolean)
  const sourceVersion = /^\((.+)\)$/.exec(inBrackets ?? '')?.[1] ?? version
  if (!isWord(sourceName) || !isWord(sourceVersion)) return []
  return [{ name, version, path, ...signedBy(sourceName, sourceVersion) }]
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
