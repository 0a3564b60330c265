/**
 * The credentials that instances get of their roles. They are the same for an hour and good
 * for six, so that whoever has read them last has five hours left to read them again. A
 * service that starts anew hands out new ones; the old ones are good as long as they were.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
 */
import { type InstanceOrigin, makeSession } from '../iam/session.ts'
import type { Entity } from '../iam/entity.ts'
import type { RandomBytes, Sealer } from '../lib/seal.ts'

const sameForMs = 60 * 60 * 1000
const goodForMs = 6 * 60 * 60 * 1000
/** Beyond so many, those that are no longer handed out are forgotten. */
const keptMax = 1000

export interface IssuedCredentials extends ReturnType<typeof makeSession> {
  readonly issuedAt: Date
}

export class RoleCredentials {
  readonly #tools: { readonly sealer: Sealer; readonly randomBytes: RandomBytes }
  readonly #issued = new Map<string, IssuedCredentials>()

  constructor(tools: { readonly sealer: Sealer; readonly randomBytes: RandomBytes }) {
    this.#tools = tools
  }

  /** Those that the instance has now of the role, by this association. */
  of(
    { id: entityId, accountId }: Pick<Entity, 'id' | 'accountId'>,
    instance: InstanceOrigin,
    { associationId, now }: { readonly associationId: string; readonly now: Date },
  ): IssuedCredentials {
    const which = [associationId, entityId, instance.delivery].join(' ')
    const last = this.#issued.get(which)
    if (last && isCurrent(last, now)) return last
    const issuedAtMs = now.getTime()
    const session = {
      accountId,
      entityId,
      name: instance.id,
      issuedAtMs,
      expiresAtMs: issuedAtMs + goodForMs,
      policy: undefined,
      policyArns: [],
      instance,
    }
    const issued = { ...makeSession(session, this.#tools), issuedAt: now }
    this.#issued.set(which, issued)
    if (this.#issued.size > keptMax) this.#forget(now)
    return issued
  }

  #forget(now: Date): void {
    for (const [which, one] of this.#issued) if (!isCurrent(one, now)) this.#issued.delete(which)
  }
}

/** Also a clock that was set back ends what was issued. */
function isCurrent({ issuedAt }: IssuedCredentials, now: Date): boolean {
  const ageMs = now.getTime() - issuedAt.getTime()
  return ageMs >= 0 && ageMs < sameForMs
}
