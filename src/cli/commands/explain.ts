/** `imago explain`: which rule lets somebody do something with an image, hides it or refuses. */
import { CommandFailed } from '../failure.ts'
import { callImago } from '../imago-client.ts'
import { readInstallation } from '../installation.ts'
import { say, type Shell } from '../shell.ts'

export interface ExplainOptions {
  readonly public?: true
}

interface Told {
  readonly rule: string
  readonly verdict: string
  readonly code?: string
  readonly text: string
}

const marks: Readonly<Record<string, string>> = { passes: '✓', untold: '?' }

/** Answers 0 where the call would be allowed, else 1. */
export async function explain(
  shell: Shell,
  asked: { readonly principal: string; readonly action: string; readonly imageId: string },
  options: ExplainOptions,
): Promise<number> {
  const { access } = readInstallation(shell)
  const answer = await callImago(access, 'POST', '/imago/v1/explanations', {
    ...asked,
    isToPublish: options.public ?? false,
  })
  const { principal, action, imageId, outcome, decisive, findings } = answer
  if (!Array.isArray(findings)) throw new CommandFailed('The service has answered something else.')
  const { rule, code } = (decisive ?? {}) as Partial<Told>
  const by = rule === undefined ? '' : `, by ${rule}${code === undefined ? '' : ` (${code})`}`
  say(
    shell,
    `${String(outcome)}${by}: ${String(action)} of ${String(imageId)} by ${String(principal)}`,
  )
  for (const finding of findings as readonly Told[]) {
    say(shell, `  ${marks[finding.verdict] ?? '✗'} ${finding.rule}: ${finding.text}`)
  }
  return outcome === 'allowed' ? 0 : 1
}
