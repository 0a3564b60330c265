/** What is attached to roots, units and accounts, within the limits that AWS has for it. */
import type { Tx } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import { declarativeType, redeclare } from './declared.ts'
import type { Organization } from './organization.ts'
import {
  fullAccess,
  type OrganizationPolicy,
  type PolicyType,
  policyTypes,
  typeNotEnabled,
} from './policy.ts'
import {
  deleteAttachment,
  enableType,
  insertAttachment,
  listAttachments,
  listEnabledTypes,
} from './policy-store.ts'
import { listAllUnits, listMembers } from './store.ts'

/** Where service control policies are in use, what is new has the one that allows everything. */
export async function giveFullAccess(
  tx: Tx,
  { id: organizationId }: Organization,
  targetId: string,
  now: Date,
): Promise<void> {
  const { id: policyId, type } = fullAccess
  if (!(await listEnabledTypes(tx, organizationId)).includes(type)) return
  await insertAttachment(tx, { organizationId, targetId, policyId, type }, now)
}

/** Takes a type into use: with service control policies, all that there is begins with full access. */
export async function enable(
  tx: Tx,
  organization: Organization,
  type: PolicyType,
  now: Date,
): Promise<boolean> {
  const organizationId = organization.id
  if (!(await enableType(tx, organizationId, type))) return false
  if (type !== fullAccess.type) {
    await redeclare(tx, organizationId)
    return true
  }
  const units = await listAllUnits(tx, organizationId)
  const members = await listMembers(tx, { organizationId })
  const targets = [
    organization.rootId,
    ...units.map(({ id }) => id),
    ...members.map(({ accountId }) => accountId),
  ]
  for (const targetId of targets) await giveFullAccess(tx, organization, targetId, now)
  return true
}

/** Attaches a policy to a target of the organization. */
export async function attach(
  tx: Tx,
  { id: organizationId }: Organization,
  { id: policyId, type }: OrganizationPolicy,
  targetId: string,
  now: Date,
): Promise<void> {
  await requireEnabled(tx, organizationId, type)
  const { attachedMax } = policyTypes[type]
  const attached = await listAttachments(tx, { organizationId, targetId, type })
  if (attached.some((one) => one.policyId === policyId)) {
    throw new ApiError(
      'DuplicatePolicyAttachmentException',
      'The selected policy is already attached to the specified target.',
    )
  }
  if (attached.length >= attachedMax) {
    throw new ApiError(
      'ConstraintViolationException',
      `You can attach up to ${attachedMax} policies of this type to an entity.`,
      { reason: 'MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED' },
    )
  }
  await insertAttachment(tx, { organizationId, targetId, policyId, type }, now)
  if (type === declarativeType) await redeclare(tx, organizationId)
}

/** Detaches a policy. Of service control policies one has to stay, without which nothing would be allowed. */
export async function detach(
  tx: Tx,
  { id: organizationId }: Organization,
  { id: policyId, type }: OrganizationPolicy,
  targetId: string,
): Promise<void> {
  await requireEnabled(tx, organizationId, type)
  const attached = await listAttachments(tx, { organizationId, targetId, type })
  if (!attached.some((one) => one.policyId === policyId)) {
    throw new ApiError(
      'PolicyNotAttachedException',
      "The policy isn't attached to the specified target in the specified root.",
    )
  }
  if (type === fullAccess.type && attached.length === 1) {
    throw new ApiError(
      'ConstraintViolationException',
      'You cannot remove the last policy attached to the specified target. ' +
        'You should have at least one attached at any time.',
      { reason: 'MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED' },
    )
  }
  await deleteAttachment(tx, { targetId, policyId })
  if (type === declarativeType) await redeclare(tx, organizationId)
}

async function requireEnabled(tx: Tx, organizationId: string, type: PolicyType): Promise<void> {
  if (!(await listEnabledTypes(tx, organizationId)).includes(type)) throw typeNotEnabled()
}
