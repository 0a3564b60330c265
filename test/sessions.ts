/** For tests: sessions of a role of the administrator's account, made without asking for each. */
import { randomBytes } from 'node:crypto'
import { transaction } from '../src/db/database.ts'
import { newEntityId } from '../src/iam/entity.ts'
import { insertEntity } from '../src/iam/entity-store.ts'
import { attachPolicy } from '../src/iam/policy-store.ts'
import { makeSession } from '../src/iam/session.ts'
import { sealerOf } from '../src/lib/seal.ts'
import { accountId, type ClientSettings, type TestSystem } from './system.ts'

export interface Sessions {
  /** One that may do what this policy allows, and nothing else. */
  under(policy: string): ClientSettings
  /** One that could do everything, an hour ago. */
  expired(): ClientSettings
}

const hourMs = 3_600_000

/** `masterKey` is what the system was started with. */
export async function makeSessions(system: TestSystem, masterKey: Uint8Array): Promise<Sessions> {
  const sealer = sealerOf(masterKey, randomBytes)
  const id = newEntityId('role', randomBytes)
  await transaction(system.db.writes, async (tx) => {
    const role = { id, accountId, kind: 'role', name: 'tester', path: '/' } as const
    await insertEntity(tx, { ...role, createdAt: new Date(), boundaryArn: undefined })
    await attachPolicy(tx, id, 'arn:aws:iam::aws:policy/AdministratorAccess')
  })
  const settings = (policy: string | undefined, expiresAtMs: number) => {
    const session = { accountId, entityId: id, name: 'tester', policy, policyArns: [] }
    const times = { issuedAtMs: expiresAtMs - hourMs, expiresAtMs }
    const made = makeSession({ ...session, ...times }, { randomBytes, sealer })
    const { AccessKeyId, SecretAccessKey: secret, SessionToken: token } = made
    return system.settingsWith({ id: AccessKeyId, secret, token })
  }
  return {
    under: (policy) => settings(policy, Date.now() + hourMs),
    expired: () => settings(undefined, Date.now() - hourMs),
  }
}
