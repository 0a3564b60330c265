/**
 * The packages of Alpine, as apk keeps them in `/lib/apk/db/installed`: a line of a letter each.
 * https://wiki.alpinelinux.org/wiki/Apk_spec
 */
import { isWord, type PackageEntry } from './inventory.ts'
import { paragraphsIn } from './paragraphs.ts'

const names = new Set(['P', 'V', 'o'])

export function* readApkInstalled(text: string, path: string): Generator<PackageEntry> {
  for (const fields of paragraphsIn(text, names)) {
    const [name, version, origin] = [fields.get('P'), fields.get('V'), fields.get('o')]
    if (!isWord(name) || !isWord(version)) continue
    const sourceName = isWord(origin) ? origin : name
    yield { name, version, path, sourceName, sourceVersion: version }
  }
}
