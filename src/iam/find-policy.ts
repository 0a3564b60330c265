/** Managed policies by their ARNs, and the documents that count. */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import { awsPolicies } from './aws-policies.ts'
import { type Entity, entityArn, noSuchEntity } from './entity.ts'
import { findEntity } from './entity-store.ts'
import { findPolicyDetails, listDefaultDocuments, type PolicyDetails } from './policy-store.ts'

export interface ManagedPolicy {
  readonly entity: Entity
  readonly details: PolicyDetails
}

/** The policy of an ARN; of `arn:aws:iam::aws:policy/…` nothing, as nobody made it. */
export async function findPolicyByArn(
  db: Database,
  arn: string,
): Promise<ManagedPolicy | undefined> {
  const { accountId = '', name = '' } =
    /^arn:aws:iam::(?<accountId>\d{12}):policy\/(?:.*\/)?(?<name>[^/]+)$/.exec(arn)?.groups ?? {}
  const entity = await findEntity(db, { accountId, kind: 'policy', name })
  if (!entity || entityArn(entity) !== arn) return undefined
  const details = await findPolicyDetails(db, entity.id)
  return details && { entity, details }
}

/** Refuses what can be no policy's. */
export function checkPolicyArn(arn: string): void {
  if (/^arn:aws:iam::(\d{12}|aws):policy\/.+$/.test(arn)) return
  throw new ApiError('ValidationError', `ARN ${arn} is not valid.`)
}

/** Throws unless an account may attach the policy: its own, or one that all have. */
export async function requireAttachable(
  db: Database,
  arn: string,
  accountId: string,
): Promise<void> {
  if (awsPolicies.has(arn)) return
  checkPolicyArn(arn)
  const found = await findPolicyByArn(db, arn)
  if (found?.entity.accountId !== accountId) throw noSuchEntity('policy', arn)
}

/** The document that counts, for each of the ARNs that there is a policy of. */
export async function listDocuments(
  db: Database,
  arns: readonly string[],
): Promise<readonly { readonly arn: string; readonly document: string }[]> {
  const found = new Map<string, string>()
  const documents: { readonly arn: string; readonly document: string }[] = []
  for (const arn of arns) {
    const document = awsPolicies.get(arn)
    if (document !== undefined) documents.push({ arn, document })
    else {
      const policy = await findPolicyByArn(db, arn)
      if (policy) found.set(policy.entity.id, arn)
    }
  }
  for (const { policyId, document } of await listDefaultDocuments(db, [...found.keys()])) {
    documents.push({ arn: found.get(policyId) ?? '', document })
  }
  return documents
}
