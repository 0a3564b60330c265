/** Records a task that shall bring disks in: for `ImportSnapshot` and `ImportImage`. */
import { ApiError } from '../lib/errors.ts'
import { type Demand, demandOn } from '../iam/demand.ts'
import type { Snapshot } from '../snapshots/snapshot.ts'
import { putTags } from '../tags/store.ts'
import type { Tag } from '../tags/tag.ts'
import { chooseEncryption, requireReadable } from '../volumes/encryption.ts'
import type { PrepareContext, WriteCall } from '../wire/operation.ts'
import type { Container } from './container.ts'
import { checkText } from './read-container.ts'
import { checkTaskCount, type ImageRequest, type ImportTask } from './import-task.ts'
import { insertTask, listTasks } from './store.ts'
import { noBucketCode } from './unknowns.ts'

interface Input {
  readonly Description?: string | undefined
  readonly RoleName?: string | undefined
  readonly Encrypted?: boolean | undefined
  readonly KmsKeyId?: string | undefined
}

export async function beginTask(
  call: WriteCall<Input>,
  wanted: {
    readonly containers: readonly Container[]
    readonly image: ImageRequest | undefined
    readonly tags: readonly Tag[]
    /** The snapshots among them. */
    readonly sources?: readonly Snapshot[]
  },
): Promise<ImportTask> {
  const { tx, caller, region, now, newId, input } = call
  checkInput(input)
  for (const source of wanted.sources ?? []) await requireReadable(call, source)
  const encryption = await chooseEncryption(call, {
    encrypted: input.Encrypted,
    keyId: input.KmsKeyId,
    // What is made of an encrypted disk is not plain, and is under one key.
    source: wanted.sources?.find(({ kmsKeyArn }) => kmsKeyArn !== undefined),
  })
  const problem = encryption?.problem
  const { accountId } = caller
  const resourceType = wanted.image ? 'import-image-task' : 'import-snapshot-task'
  const all = await listTasks(tx, { accountId, region })
  checkTaskCount(all.filter(({ endedAt }) => !endedAt).length)
  const task: ImportTask = {
    id: newId(resourceType),
    accountId,
    region,
    description: input.Description,
    containers: wanted.containers,
    image: wanted.image,
    ...(encryption && { kmsKeyArn: encryption.arn }),
    // AWS looks at the key when it has answered: the task is there, and has failed.
    state: problem === undefined ? 'active' : 'deleted',
    message: problem === undefined ? 'pending' : `ClientError: ${problem}`,
    progressPercent: 0,
    disks: wanted.containers.map(() => ({})),
    imageId: undefined,
    createdAt: now,
    endedAt: problem === undefined ? undefined : now,
  }
  await insertTask(tx, task)
  const { tags } = wanted
  await putTags(tx, { accountId, region, resourceType, resourceId: task.id, tags })
  return task
}

/** Who has something read from a bucket needs to be allowed to read it. */
export const toReadObjects = (containers: readonly Container[]): readonly Demand[] =>
  containers.flatMap(({ source }) =>
    source.kind === 'object'
      ? [demandOn('s3:GetObject', `arn:aws:s3:::${source.bucket}/${source.key}`)]
      : [],
  )

/** Refuses a bucket that is not there. Whether the object is comes out when it is read, as in AWS. */
export async function checkBuckets(
  containers: readonly Container[],
  { readers, caller, region }: PrepareContext,
): Promise<void> {
  const { accountId } = caller
  for (const { source } of containers) {
    if (source.kind !== 'object') continue
    if (await readers.buckets.hasBucket({ accountId, region, bucket: source.bucket })) continue
    throw new ApiError(noBucketCode, `The given S3 bucket does not exist: ${source.bucket}`)
  }
}

function checkInput({ Description, RoleName }: Input): void {
  checkText('Description', Description)
  // What may be read is up to the caller's policy: a role has no part in it.
  if (RoleName === undefined || /^[\w+=,.@-]{1,64}$/.test(RoleName)) return
  throw new ApiError(
    'InvalidParameter',
    `The service role ${RoleName.slice(0, 100)} provided does not exist or does not have sufficient permissions`,
  )
}
