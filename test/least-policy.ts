/** For tests: the one policy that a call needs, found from outside as a careful administrator would. */
import assert from 'node:assert/strict'

export interface Need {
  readonly action: string
  readonly resource: string
}

/** Makes a call under a policy. */
export type Send = (policy: string) => Promise<unknown>

const refusal =
  /is not authorized to perform: (?<action>\S+) on resource: (?<resource>.+?) (?:because no|with an explicit)/

/** What a call is refused for under a policy that allows these; nothing where it is not. */
export async function refusedFor(send: Send, needs: readonly Need[]): Promise<Need | undefined> {
  try {
    await send(policyOf(needs))
    return undefined
  } catch (error) {
    assert(error instanceof Error)
    const { action, resource } = refusal.exec(error.message)?.groups ?? {}
    return action && resource ? { action, resource } : undefined
  }
}

/** Allows what the call is refused for, until it is refused no more. */
export async function leastPolicy(send: Send): Promise<readonly Need[]> {
  const needs: Need[] = []
  for (;;) {
    const need = await refusedFor(send, needs)
    if (!need) return needs
    const isAllowed = needs.some((one) => policyOf([one]) === policyOf([need]))
    assert(!isAllowed, `${policyOf([need])} is allowed, and refused`)
    needs.push(need)
  }
}

/** A resource of the same kind, and not that one. */
export const anotherThan = (arn: string): string =>
  arn.endsWith('*') ? `${arn.slice(0, -1)}another` : `${arn}0`

/** Whether what is allowed for one need allows the other, too. */
export const covers = (one: Need, other: Need): boolean =>
  one.action === other.action &&
  one.resource.endsWith('*') &&
  other.resource.startsWith(one.resource.slice(0, -1))

function policyOf(needs: readonly Need[]): string {
  const allowed = needs.length > 0 ? needs : [{ action: 'none:None', resource: '*' }]
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: allowed.map(({ action, resource }) => ({
      Effect: 'Allow',
      Action: action,
      Resource: resource,
    })),
  })
}
