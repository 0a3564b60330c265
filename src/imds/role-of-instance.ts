/** The profile and the role of an instance, as it finds them in its metadata. */
import type { Database } from '../db/database.ts'
import { findEntities } from '../iam/entity-store.ts'
import { ec2Service } from '../iam/pass-role.ts'
import { findRoleOfProfile } from '../iam/profiles.ts'
import type { InstanceOrigin } from '../iam/session.ts'
import { trustsService } from '../iam/trusts-service.ts'
import { findAssociationOf } from '../instance-profiles/store.ts'
import type { Guest } from './facts.ts'
import { credentialsDocument, notTrustedDocument, profileDocument } from './iam-documents.ts'
import type { RoleCredentials } from './role-credentials.ts'
import type { Tree } from './tree.ts'

export interface Asking {
  readonly credentials: RoleCredentials
  readonly delivery: InstanceOrigin['delivery']
  readonly now: Date
}

/** `meta-data/iam`; nothing where the instance has no profile. */
export async function iamTree(
  db: Database,
  { instance, port }: Guest,
  { credentials, delivery, now }: Asking,
): Promise<Tree | undefined> {
  const { id, accountId, region } = instance
  const association = await findAssociationOf(db, id)
  if (!association) return undefined
  const { profileId, profileArn: arn, madeAt: since } = association
  const [profile] = await findEntities(db, [profileId])
  const info = profileDocument({ id: profileId, arn, isThere: profile !== undefined, since })
  const found = profile && (await findRoleOfProfile(db, profile.id))
  if (!found) return { info }
  const { role } = found
  const read = (): string => {
    const keys = {
      'aws:SourceAccount': accountId,
      'aws:SourceArn': `arn:aws:ec2:${region}:${accountId}:instance/${id}`,
      'aws:CurrentTime': now.toISOString(),
      'aws:EpochTime': String(Math.floor(now.getTime() / 1000)),
    }
    if (!trustsService(found, ec2Service, keys)) return notTrustedDocument(role.name, now)
    const { vpcId, privateIp } = port
    const origin = { id, region, vpcId, privateIp, delivery }
    return credentialsDocument(credentials.of(role, origin, { associationId: association.id, now }))
  }
  return { info, 'security-credentials': { [role.name]: read } }
}
