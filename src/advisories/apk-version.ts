/**
 * How Alpine orders versions: digits with dots, a letter, suffixes, a commit, a revision, as in
 * `1.2.3b_rc1-r4`. What is no such version ends there, and is in the order too.
 * https://wiki.alpinelinux.org/wiki/Package_policies
 */
import { compareNumbers } from './dpkg-version.ts'

/** Later kinds of part come after what ends before them, and before what goes on with an earlier kind. */
const kinds = ['first', 'digits', 'letter', 'suffix', 'number', 'commit', 'revision'] as const
type Kind = (typeof kinds)[number] | 'end' | 'invalid'

interface Part {
  readonly kind: Kind
  readonly text: string
}

/** Those before the empty one come before the release itself. */
const suffixes = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p']
const release = suffixes.indexOf('')
const end: Part = { kind: 'end', text: '' }
const rank = (kind: Kind): number => [...kinds, 'end', 'invalid'].indexOf(kind)

/** Under zero where `one` is older, over it where it is newer. */
export function compareApkVersions(one: string, other: string): number {
  const [parts, otherParts] = [parse(one), parse(other)]
  for (let at = 0; ; at++) {
    const [a, b] = [parts[at] ?? end, otherParts[at] ?? end]
    if (a.kind !== b.kind) return compareEnds(a, b)
    if (a.kind === 'end' || a.kind === 'invalid') return 0
    const difference = compareParts(a, b)
    if (difference !== 0) return difference
  }
}

/** One goes on where the other does not, or with something else. */
function compareEnds(a: Part, b: Part): number {
  if (isPrerelease(a)) return -1
  if (isPrerelease(b)) return 1
  return rank(b.kind) - rank(a.kind)
}

const isPrerelease = ({ kind, text }: Part): boolean =>
  kind === 'suffix' && suffixes.indexOf(text) < release

function compareParts(a: Part, b: Part): number {
  if (a.kind === 'suffix') return suffixes.indexOf(a.text) - suffixes.indexOf(b.text)
  const isFraction = a.kind === 'digits' && (a.text.startsWith('0') || b.text.startsWith('0'))
  if (isFraction || a.kind === 'letter' || a.kind === 'commit') {
    return a.text < b.text ? -1 : a.text > b.text ? 1 : 0
  }
  return compareNumbers(a.text, b.text)
}

/** What may come at a place, with the kinds of part that it may come after. */
const forms: readonly { readonly kind: Kind; readonly form: RegExp; readonly after: Kind }[] = [
  { kind: 'digits', form: /^\.(\d+)/, after: 'digits' },
  { kind: 'letter', form: /^([a-z])/, after: 'digits' },
  { kind: 'suffix', form: /^_(alpha|beta|pre|rc|cvs|svn|git|hg|p)(?![a-z])/, after: 'number' },
  { kind: 'commit', form: /^~([0-9a-f]+)/, after: 'number' },
  { kind: 'revision', form: /^-r(\d+)/, after: 'commit' },
]

function parse(version: string): readonly Part[] {
  const first = /^\d+/.exec(version)?.[0]
  if (first === undefined) return [{ kind: 'invalid', text: '' }]
  const parts: Part[] = [{ kind: 'first', text: first }]
  let rest = version.slice(first.length)
  let last: Kind = 'first'
  while (rest !== '') {
    const number = last === 'suffix' ? /^\d+/.exec(rest)?.[0] : undefined
    if (number !== undefined) {
      last = 'number'
      parts.push({ kind: last, text: number })
      rest = rest.slice(number.length)
      continue
    }
    const before: Kind = last
    const found: { kind: Kind; match: RegExpExecArray | null } | undefined = forms
      .filter(({ after }) => rank(before) <= rank(after))
      .map(({ kind, form }) => ({ kind, match: form.exec(rest) }))
      .find(({ match }) => match)
    if (!found?.match) return [...parts, { kind: 'invalid', text: '' }]
    last = found.kind
    parts.push({ kind: last, text: found.match[1] ?? '' })
    rest = rest.slice(found.match[0].length)
  }
  return parts
}
