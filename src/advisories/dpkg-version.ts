/**
 * How Debian and Ubuntu order versions. Nothing is refused: what is no version is in the
 * order too, somewhere.
 * https://www.debian.org/doc/debian-policy/ch-controlfields.html#version
 */

/** Under zero where `one` is older, over it where it is newer. */
export function compareDpkgVersions(one: string, other: string): number {
  const [a, b] = [parse(one), parse(other)]
  return (
    compareNumbers(a.epoch, b.epoch) ||
    compareParts(a.upstream, b.upstream) ||
    compareParts(a.revision, b.revision)
  )
}

function parse(version: string) {
  const text = version.trim()
  const colon = text.indexOf(':')
  const rest = text.slice(colon + 1)
  const dash = rest.lastIndexOf('-')
  return {
    epoch: colon === -1 ? '' : text.slice(0, colon),
    upstream: dash === -1 ? rest : rest.slice(0, dash),
    revision: dash === -1 ? '' : rest.slice(dash + 1),
  }
}

/** What is no digit, then digits, and so on in turns. */
function compareParts(one: string, other: string): number {
  let [at, otherAt] = [0, 0]
  while (at < one.length || otherAt < other.length) {
    while (isLetter(one[at]) || isLetter(other[otherAt])) {
      const difference = orderOf(one[at]) - orderOf(other[otherAt])
      if (difference !== 0) return difference
      at++
      otherAt++
    }
    const [digits, otherDigits] = [digitsAt(one, at), digitsAt(other, otherAt)]
    const difference = compareNumbers(digits, otherDigits)
    if (difference !== 0) return difference
    at += digits.length
    otherAt += otherDigits.length
  }
  return 0
}

const isDigit = (character: string | undefined): boolean =>
  character !== undefined && character >= '0' && character <= '9'
const isLetter = (character: string | undefined): boolean =>
  character !== undefined && !isDigit(character)

/** A tilde is before the end, that before letters, those before all else. */
function orderOf(character: string | undefined): number {
  if (character === undefined || isDigit(character)) return 0
  if (character === '~') return -1
  const code = character.charCodeAt(0)
  return /^[A-Za-z]$/.test(character) ? code : code + 256
}

function digitsAt(text: string, start: number): string {
  let end = start
  while (isDigit(text[end])) end++
  return text.slice(start, end)
}

/** Digits of any length. */
export function compareNumbers(one: string, other: string): number {
  const [a, b] = [one.replace(/^0+/, ''), other.replace(/^0+/, '')]
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}
