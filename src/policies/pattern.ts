/**
 * What policies write where they mean text: wildcards, variables such as
 * `${aws:username}` with a default, and `${*}` for the character itself. Whatever is
 * put in for a variable stands for itself. A variable without a value fits nothing.
 * The time is bounded by the product of the two lengths: patterns come from callers.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
import type { Context } from './context.ts'

export interface Pattern {
  /** Whether the whole of `text` fits. */
  fits(text: string, context: Context): boolean
}

/** What counts in a pattern. What does not stands for itself. */
export interface Grammar {
  readonly wildcards: boolean
  /** Only since version 2012-10-17 of the language. */
  readonly variables: boolean
  readonly ignoresCase?: boolean
}

interface Variable {
  readonly key: string
  readonly otherwise: string | undefined
}

const anyOne = Symbol('?')
const anyRun = Symbol('*')
type Piece = string | typeof anyOne | typeof anyRun | Variable

export function compilePattern(text: string, grammar: Grammar): Pattern {
  const folds = grammar.ignoresCase === true
  const pieces = piecesOf(folds ? text.toLowerCase() : text, grammar)
  const fits = matcherOf(pieces, folds)
  return folds ? { fits: (given, context) => fits(given.toLowerCase(), context) } : { fits }
}

function piecesOf(text: string, grammar: Grammar): readonly Piece[] {
  const pieces: Piece[] = []
  const special = /\$\{(?<inside>[^{}]*)\}|(?<wildcard>[*?])/g
  let from = 0
  for (const match of text.matchAll(special)) {
    const { inside, wildcard } = match.groups ?? {}
    if (wildcard === undefined ? !grammar.variables : !grammar.wildcards) continue
    if (match.index > from) pieces.push(text.slice(from, match.index))
    from = match.index + match[0].length
    if (wildcard !== undefined) pieces.push(wildcard === '*' ? anyRun : anyOne)
    else
      pieces.push(inside === '*' || inside === '?' || inside === '$' ? inside : variableOf(inside))
  }
  if (from < text.length) pieces.push(text.slice(from))
  return pieces
}

/** `aws:PrincipalTag/team, 'nobody'` */
function variableOf(inside = ''): Variable {
  const { key = inside, otherwise } =
    /^(?<key>[^,]*?),\s*'(?<otherwise>.*)'\s*$/.exec(inside)?.groups ?? {}
  return { key: key.trim().toLowerCase(), otherwise }
}

type Matcher = Pattern['fits']

/** What most patterns are is looked at first: a text, all texts, and all that begin with one. */
function matcherOf(pieces: readonly Piece[], folds: boolean): Matcher {
  const [first = '', second] = pieces
  if (pieces.length < 2) {
    if (typeof first === 'string') return (given) => given === first
    if (first === anyRun) return () => true
  }
  if (pieces.length === 2 && typeof first === 'string' && second === anyRun) {
    return (given) => given.startsWith(first)
  }
  return (given, context) => fits(pieces, given, context, folds)
}

/** Where something does not fit, only the last `*` has to take more: those before it took the least. */
function fits(pieces: readonly Piece[], given: string, context: Context, folds: boolean): boolean {
  let next = 0
  let at = 0
  let run: { readonly next: number; at: number } | undefined
  for (;;) {
    const piece = pieces[next]
    if (piece === undefined) {
      if (at === given.length) return true
    } else if (piece === anyRun) {
      if (++next === pieces.length) return true
      run = { next, at }
      continue
    } else if (piece === anyOne) {
      if (at === given.length) return false
      next++
      at++
      continue
    } else {
      const text = typeof piece === 'object' ? valueOf(piece, context, folds) : piece
      if (text === undefined) return false
      const isLast = next === pieces.length - 1
      if (run?.next === next) {
        if (isLast) return given.length - text.length >= at && given.endsWith(text)
        // Nothing before the next place where it stands can fit.
        const found = given.indexOf(text, at)
        if (found < 0) return false
        run.at = found
        at = found
      }
      if (given.startsWith(text, at)) {
        next++
        at += text.length
        continue
      }
    }
    if (!run || run.at >= given.length) return false
    next = run.next
    at = ++run.at
  }
}

function valueOf(
  { key, otherwise }: Variable,
  context: Context,
  folds: boolean,
): string | undefined {
  const value = context.get(key) ?? otherwise
  if (typeof value !== 'string') return undefined
  return folds ? value.toLowerCase() : value
}
