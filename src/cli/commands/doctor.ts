/**
 * `imago doctor`: what works on this host, what does not, and what to type. What is
 * marked `✗` keeps the service from its work; `!` only makes it slower or smaller.
 */
import { hostChecks } from '../host-checks.ts'
import { say, type Shell } from '../shell.ts'

const marks = { good: '✓', poor: '!', bad: '✗' } as const

/** Answers 0 where the service can do its work, else 1. */
export async function doctor(shell: Shell): Promise<number> {
  let isBad = false
  for await (const { verdict, what, remedy } of hostChecks(shell)) {
    say(shell, `${marks[verdict]} ${what}`)
    if (remedy !== undefined) say(shell, `    ${remedy}`)
    isBad ||= verdict === 'bad'
  }
  return isBad ? 1 : 0
}
