/**
 * What the rules of an image say of a call about it, in the order in which the call itself
 * asks them. Each is asked by the same function as there; only the words are from here.
 */
import type { Database } from '../db/database.ts'
import type { Caller } from '../iam/evaluate.ts'
import { isAllowed, viewerOf } from '../images/find.ts'
import { type Image, snapshotsOf } from '../images/image.ts'
import { permissionsOf, type LaunchPermission } from '../images/launch-permission.ts'
import { listLaunchPermissions } from '../images/permission-store.ts'
import { isProtected, viewProtection } from '../images/protection.ts'
import { readImageSettings } from '../images/held-settings.ts'
import { findImage } from '../images/store.ts'
import { protectedCode, storageForbiddenCode } from '../images/unknowns.ts'
import type { Id } from '../lib/ids.ts'
import { keyTroubleCode, KeyUnusable } from '../kms/key-trouble.ts'
import { keyUsedBy } from '../kms/use.ts'
import { findSnapshots, findUsableSnapshot } from '../snapshots/store.ts'
import type { Snapshot } from '../snapshots/snapshot.ts'
import { keyUnusableCode, readingActions } from '../volumes/unknowns.ts'
import type { ExplainedAction } from './explained-action.ts'
import { explainAllowance, sayerOf } from './allowance-rule.ts'
import { type Finding, hides, passes, refuses, untold } from './finding.ts'

export interface Asked {
  /** Whose call it would be. */
  readonly caller: Caller
  readonly region: string
  readonly now: Date
  readonly action: ExplainedAction
  readonly imageId: Id<'image'>
  /** Whether the call would make the image public. */
  readonly isToPublish: boolean
  /** Whether what is the account's own secret can be told: its settings. */
  readonly knowsAccount: boolean
  /** Whether an image that the account does not see can be told of. */
  readonly knowsImage: boolean
}

export async function explainImage(db: Database, asked: Asked): Promise<readonly Finding[]> {
  const { caller, region, action, imageId, knowsImage } = asked
  const image = await findImage(db, imageId)
  const isOwn = image?.accountId === caller.accountId
  const notFound = 'InvalidAMIID.NotFound'
  const gone = image?.state === 'deregistered' || image?.state === 'recycled'
  const way = image && (isOwn ? 'It is the account’s own.' : await wayToSee(db, image, asked))
  // Whoever may not see an image hears the same of it as of one that never was.
  if (!image || (!knowsImage && !isOwn && (way === undefined || gone))) {
    return [hides('existence', notFound, 'There is no such image, or none that the account sees.')]
  }
  if (image.region !== region) {
    return [hides('existence', notFound, `It is in the Region ${image.region}, not in ${region}.`)]
  }
  if (gone) return [hides('existence', 'InvalidAMIID.Unavailable', goneText(image))]

  const findings: Finding[] = [passes('existence', `It is '${image.name}', of ${image.accountId}.`)]
  if (action.needs === 'to own' || action.needs === 'to own it available') {
    if (way === undefined) findings.push(hides('launch permission', notFound, notShared))
    else if (!isOwn) {
      const text = `Only its owner, ${image.accountId}, may do that.`
      findings.push(refuses('ownership', 'AuthFailure', text))
    } else findings.push(passes('ownership', 'It is the account’s own.'))
  } else if (way === undefined) {
    const code = action.needs === 'to launch' ? 'AuthFailure' : notFound
    findings.push(hides('launch permission', code, notShared))
  } else findings.push(passes('launch permission', way))
  return [...findings, ...(await explainUse(db, image, asked))]
}

const notShared = 'It is neither public nor shared with the account, its organization or its units.'

async function explainUse(db: Database, image: Image, asked: Asked): Promise<readonly Finding[]> {
  const { action } = asked
  const state = explainState(image, asked)
  switch (action.needs) {
    case 'to see':
      return [await allowance(db, image, asked), ...state]
    case 'to list':
      return [await allowance(db, image, asked), ...state, explainDeprecation(image, asked)]
    case 'to launch': {
      const keys = await explainKeys(db, image, asked, keyTroubleCode)
      const deprecation = explainDeprecation(image, asked)
      return [await allowance(db, image, asked), ...state, ...keys, deprecation]
    }
    case 'to copy': {
      const storage = await explainStorage(db, image, asked)
      const keys = await explainKeys(db, image, asked, keyUnusableCode)
      return [await allowance(db, image, asked), ...state, ...storage, ...keys]
    }
    case 'to own it available':
      return [...state, ...(await explainPublicAccess(db, image, asked))]
    case 'to own':
      return [explainProtection(image, asked)]
  }
}

function goneText({ state, deregisteredAt, recycledAt, recycleExitAt }: Image): string {
  if (state === 'deregistered') return `It was deregistered at ${deregisteredAt?.toISOString()}.`
  return (
    `It has been in its owner’s Recycle Bin since ${recycledAt?.toISOString()}, ` +
    `until ${recycleExitAt?.toISOString()}.`
  )
}

/** By what the account sees an image of another: nothing where it does not. */
async function wayToSee(
  db: Database,
  image: Image,
  { caller }: Asked,
): Promise<string | undefined> {
  if (image.isPublic) return 'It is public.'
  const held = permissionsOf(await viewerOf(db, caller.accountId))
  const isSame = (a: LaunchPermission, b: LaunchPermission) =>
    a.kind === b.kind && a.grantee === b.grantee
  const given = await listLaunchPermissions(db, image.id)
  const found = given.find((one) => held.some((other) => isSame(one, other)))
  if (!found) return undefined
  const words = {
    user: 'the account itself',
    group: 'everyone',
    organization: 'its organization',
    'organizational-unit': 'an organizational unit above it',
  }
  return `It is shared with ${words[found.kind]}: ${found.grantee}.`
}

async function allowance(db: Database, image: Image, asked: Asked): Promise<Finding> {
  const { caller, region, now, knowsAccount } = asked
  const query = { accountId: caller.accountId, region, now }
  if (knowsAccount) return await explainAllowance(db, image, query)
  return (await isAllowed(db, query, image)) || caller.accountId !== image.accountId
    ? untold('allowed AMIs', 'What the account allows itself is for it to know.')
    : passes('allowed AMIs', 'It is the account’s own.')
}

function explainState(image: Image, { action }: Asked): readonly Finding[] {
  const { state, stateReason } = image
  if (state === 'available') return [passes('state', 'It is available.')]
  const why = stateReason ? ` ${stateReason.message}` : ''
  const text = state === 'disabled' ? 'Its owner has disabled it.' : `It is ${state}.${why}`
  const isLooking = action.needs === 'to see' || action.needs === 'to list'
  if (!isLooking) return [refuses('state', 'InvalidAMIID.Unavailable', text)]
  if (state !== 'disabled' || action.needs === 'to see') return [passes('state', text)]
  return [hides('state', undefined, `${text} It is listed by IncludeDisabled alone.`)]
}

/** A deprecated image is left out of lists of others; it can be named, and launched. */
function explainDeprecation(image: Image, { caller, now, action }: Asked): Finding {
  const { deprecatesAt } = image
  if (!deprecatesAt) return passes('deprecation', 'It has no time of deprecation.')
  const at = deprecatesAt.toISOString()
  if (deprecatesAt > now) return passes('deprecation', `It will be deprecated at ${at}.`)
  if (action.needs !== 'to list' || image.accountId === caller.accountId) {
    return passes('deprecation', `It has been deprecated since ${at}, which keeps nobody from it.`)
  }
  const text = `It has been deprecated since ${at}: it is listed by its id or by IncludeDeprecated.`
  return hides('deprecation', undefined, text)
}

async function disksOf(db: Database, image: Image): Promise<readonly Snapshot[]> {
  return await findSnapshots(db, snapshotsOf(image))
}

/** To launch an image needs its own permission alone; to copy it, also those of its snapshots. */
async function explainStorage(
  db: Database,
  image: Image,
  { caller, region }: Asked,
): Promise<readonly Finding[]> {
  const { accountId } = caller
  if (image.rootDeviceType === 'instance-store' && image.accountId !== accountId) {
    const text = 'Its bundle is in its owner’s bucket, which nobody else can read.'
    return [refuses('storage', storageForbiddenCode, text)]
  }
  const findings: Finding[] = []
  for (const { id } of await disksOf(db, image)) {
    const isUsable = await findUsableSnapshot(db, { accountId, region, id })
    if (isUsable) findings.push(passes('storage', `The account may use its snapshot ${id}.`))
    else {
      const text = `The account has no permission to create volumes from its snapshot ${id}.`
      findings.push(refuses('storage', storageForbiddenCode, text))
    }
  }
  return findings
}

/** The keys of its disks have to be enabled, and their policies have to let the caller read. */
async function explainKeys(
  db: Database,
  image: Image,
  { caller, region }: Asked,
  code: string,
): Promise<readonly Finding[]> {
  const arns = new Set((await disksOf(db, image)).flatMap(({ kmsKeyArn }) => kmsKeyArn ?? []))
  const findings: Finding[] = []
  for (const arn of arns) {
    try {
      await keyUsedBy(db, { caller, region }, arn, readingActions)
      findings.push(passes('key', `Its disks are encrypted with ${arn}, which the caller may use.`))
    } catch (error) {
      if (!(error instanceof KeyUnusable)) throw error
      findings.push(
        refuses('key', code, `${error.message} It needs kms:${readingActions.join(' and kms:')}.`),
      )
    }
  }
  return findings
}

async function explainPublicAccess(
  db: Database,
  image: Image,
  { isToPublish, caller, knowsAccount }: Asked,
): Promise<readonly Finding[]> {
  if (!isToPublish || image.accountId !== caller.accountId) return []
  const rule = 'block public access'
  if (image.isPublic) return [passes(rule, 'It is public already.')]
  if (!knowsAccount) return [untold(rule, 'That is for the account to know.')]
  const { publicAccess, managers } = await readImageSettings(db, image)
  const by = sayerOf(managers.publicAccess)
  return publicAccess === 'unblocked'
    ? [passes(rule, `It is off ${by}.`)]
    : [refuses(rule, 'OperationNotPermitted', `It is on ${by}.`)]
}

function explainProtection(image: Image, { now }: Asked): Finding {
  const rule = 'deregistration protection'
  const kind = viewProtection(image, now)
  if (!isProtected(image, now)) return passes(rule, `Its protection is ${kind}.`)
  return refuses(rule, protectedCode, `Its protection is ${kind}.`)
}
