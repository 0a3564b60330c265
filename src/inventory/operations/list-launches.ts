import type { Database } from '../../db/database.ts'
import { requireOperator } from '../../iam/operator.ts'
import { findImage } from '../../images/store.ts'
import { parseImageId } from '../../images/image.ts'
import { ApiError } from '../../lib/errors.ts'
import { type Id, isId } from '../../lib/ids.ts'
import { formatToken } from '../../lib/pages.ts'
import type { Extension } from '../../wire/extension.ts'
import type { Launch, LaterRoot } from '../launch.ts'
import { countLaunchesOf, findLaunch, listLaunchesOf } from '../launch-store.ts'
import { type InventoryRequest, readInventoryRequest } from '../request.ts'
import { listRoots } from '../root-store.ts'

/**
 * Which image a machine was started from and what took the place of its root, and which machines
 * were started from an image or got a root of it: also when either is gone. The owner of an image learns of others' machines how many they are.
 */
export const listLaunches: Extension = {
  kind: 'read',
  action: 'ListLaunches',
  method: 'POST',
  path: '/imago/v1/launches',
  async run({ input, db, caller }) {
    const request = readInventoryRequest(input.body)
    const { isOfAll, instanceId, imageId } = request
    if ((instanceId === undefined) === (imageId === undefined)) {
      throw new ApiError('InvalidParameterCombination', 'Either instanceId or imageId is needed.')
    }
    if (isOfAll) await requireOperator(db, caller, 'see the machines of all accounts')
    const accountId = isOfAll ? undefined : caller.accountId
    if (instanceId !== undefined) return await ofInstance(db, accountId, instanceId)
    return await ofImage(db, accountId, request)
  },
}

async function ofInstance(db: Database, accountId: string | undefined, id: string) {
  if (!isId('instance', id)) {
    const message = `Invalid id: "${id.slice(0, 100)}" (expecting "i-...")`
    throw new ApiError('InvalidInstanceID.Malformed', message)
  }
  const launch = await findLaunch(db, id)
  if (launch && (accountId === undefined || launch.accountId === accountId)) {
    return { launches: [await view(db, launch)] }
  }
  throw new ApiError('InvalidInstanceID.NotFound', `Nothing is known of the instance '${id}'`)
}

async function ofImage(
  db: Database,
  accountId: string | undefined,
  { imageId = '', after, limit }: InventoryRequest,
) {
  const id = parseImageId(imageId)
  const found = await listLaunchesOf(db, { imageId: id, accountId, after, limit: limit + 1 })
  const launches = found.slice(0, limit)
  const image = await findImage(db, id)
  const isOwn = accountId === undefined || image?.accountId === accountId
  const last = launches.at(-1)
  return {
    launches: await Promise.all(launches.map((launch) => view(db, launch))),
    ...(isOwn && {
      launchesByAccount: Object.fromEntries(
        (await countLaunchesOf(db, id)).map((one) => [one.accountId, one.count]),
      ),
    }),
    ...(found.length > limit && last && { nextToken: formatToken(last.instanceId) }),
  }
}

async function view(db: Database, launch: Launch) {
  const roots = await listRoots(db, launch.instanceId)
  return {
    instanceId: launch.instanceId,
    accountId: launch.accountId,
    region: launch.region,
    imageId: launch.imageId,
    imageName: launch.imageName,
    imageOwnerId: launch.imageOwnerId,
    imageState: await stateOf(db, launch.imageId),
    instanceType: launch.instanceType,
    launchedBy: launch.launchedBy,
    launchedAt: launch.launchedAt.toISOString(),
    endedAt: launch.endedAt?.toISOString(),
    ...(roots.length > 0 && {
      rootReplacements: await Promise.all(roots.map((root) => viewRoot(db, root))),
    }),
  }
}

async function viewRoot(
  db: Database,
  { taskId, image, snapshotId, volumeId, replacedAt }: LaterRoot,
) {
  return {
    taskId,
    ...image,
    imageState: image && (await stateOf(db, image.imageId)),
    snapshotId,
    volumeId,
    replacedAt: replacedAt.toISOString(),
  }
}

const stateOf = async (db: Database, id: Id<'image'>) => (await findImage(db, id))?.state
