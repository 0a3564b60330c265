/**
 * The packages of Alpine, as apk keeps them in `/lib/apk/db/installed`: a line of a letter each.
 * https://wiki.alpinelinux.org/wiki/Apk_spec
 */
import { isWord, type PackageEntry } from './inventory.ts'

export function readApkInstalled(text: string, path: string): readonly PackageEntry[] {
  return text.split(/\n\n+/).flatMap((paragraph) => {
    const fields = new Map<string, string>()
    for (const line of paragraph.split('\n')) {
      const [letter, colon] = line
      if (letter !== undefined && colon === ':' && !fields.has(letter)) {
        fields.set(letter, line.slice(2))
      }
    }
    const [name, version] = [fields.get('P'), fields.get('V')]
    if (!isWord(name) || !isWord(version)) return []
    const origin = fields.get('o')
    const sourceName = isWord(origin) ? origin : name
    return [{ name, version, path, sourceName, sourceVersion: version }]
  })
}
