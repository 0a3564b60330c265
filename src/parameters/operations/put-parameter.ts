/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html */
import type { PutParameterRequest, PutParameterResult } from '@aws-sdk/client-ssm'
import { findVisible, isAllowed } from '../../images/find.ts'
import { ApiError } from '../../lib/errors.ts'
import { readTags } from '../../tags/tag.ts'
import { type WriteCall, writeOperation } from '../../wire/operation.ts'
import { ownKey } from '../own.ts'
import {
  checkName,
  chooseTier,
  constraint,
  type DataType,
  isImageId,
  type ParameterKey,
  parametersMax,
  type ParameterVersion,
  readDataType,
  readType,
  validation,
  versionsMax,
} from '../parameter.ts'
import { checkAllowedPattern } from '../pattern.ts'
import { onParameters } from '../permissions.ts'
import { sealValue } from '../secure.ts'
import {
  countParameters,
  deleteVersion,
  findLatest,
  insertParameter,
  insertVersion,
  listVersions,
  takeNextVersion,
} from '../store.ts'

type Call = WriteCall<PutParameterRequest>

export const putParameter = writeOperation<PutParameterRequest, PutParameterResult>({
  service: 'ssm',
  action: 'PutParameter',
  demands: (input, context) => onParameters('PutParameter', [input.Name ?? ''], context, input),

  async run(call) {
    const { input, tx } = call
    const key = ownKey(call, checkName(input.Name ?? ''))
    const value = readValue(input)
    const type = readType(input.Type)
    const dataType = readDataType(input.DataType)
    const before = await findLatest(tx, key)
    if (before && !input.Overwrite) {
      throw new ApiError(
        'ParameterAlreadyExists',
        'The parameter already exists. To overwrite this value, set the overwrite option in the ' +
          'request to true.',
      )
    }
    if (!before && !type)
      throw validation('A parameter type is required when you create a parameter.')
    if (before && type && type !== before.type) {
      throw new ApiError(
        'HierarchyTypeMismatchException',
        "Parameter Store doesn't support changing a parameter type in a hierarchy.",
      )
    }
    const made: Omit<ParameterVersion, 'version'> = {
      ...key,
      type: type ?? before?.type ?? 'String',
      dataType: dataType ?? before?.dataType ?? 'text',
      tier: chooseTier(input.Tier, value, before?.tier),
      value,
      description: readDescription(input.Description) ?? before?.description,
      allowedPattern: input.AllowedPattern ?? before?.allowedPattern,
      labels: [],
      modifiedAt: call.now,
      modifiedBy: call.caller.arn,
    }
    if (input.KeyId && made.type !== 'SecureString')
      throw validation('KeyId is required for SecureString type parameter only.')
    if (made.allowedPattern) checkAllowedPattern(made.allowedPattern, value)
    await checkImage(call, made)
    const sealed =
      made.type === 'SecureString'
        ? await sealValue(call, { ...made, keyId: input.KeyId })
        : undefined
    const version = before ? await takeNext(call, key) : await create(call, key)
    await insertVersion(tx, { ...made, ...sealed, version })
    return { Version: version, Tier: made.tier }
  },
})

function readValue({ Value = '', Overwrite, Tags, Policies }: PutParameterRequest) {
  if (Value === '') throw constraint('', 'value', 'have length greater than or equal to 1')
  if (Overwrite && Tags && Tags.length > 0) {
    throw validation(
      "Invalid request: tags and overwrite can't be used together. To create a parameter with " +
        'tags, please remove overwrite flag. To update tags for an existing parameter, please ' +
        'use AddTagsToResource or RemoveTagsFromResource.',
    )
  }
  // An empty list is how clients take policies away.
  if (Policies && !['[]', '[{}]'].includes(Policies.replaceAll(/\s/g, '')))
    throw validation('Parameter policies are not supported.')
  return Value
}

function readDescription(text: string | undefined): string | undefined {
  const lengthMax = 1024
  if (text === undefined || text.length <= lengthMax) return text
  throw constraint(text, 'description', `have length less than or equal to ${lengthMax}`)
}

/** AWS looks for the image a little later, and then the parameter does not come; here it is said at once. */
async function checkImage(
  { tx, now }: Call,
  made: ParameterKey & {
    readonly dataType: DataType
    readonly type: string
    readonly value: string
  },
): Promise<void> {
  if (made.dataType !== 'aws:ec2:image') return
  if (made.type !== 'String') {
    throw validation('The data type aws:ec2:image is for parameters of the type String only.')
  }
  const { accountId, region, value: id } = made
  if (isImageId(id)) {
    const viewer = { accountId, region, now }
    const image = await findVisible(tx, { ...viewer, id: id as `ami-${string}` })
    if (image && (await isAllowed(tx, viewer, image))) return
  }
  throw validation(
    `The parameter value ${id.slice(0, 100)} is not the ID of an Amazon Machine Image that the ` +
      'account can use in this Region.',
  )
}

async function create({ tx, input }: Call, key: ParameterKey): Promise<number> {
  if ((await countParameters(tx, key)) >= parametersMax) {
    throw new ApiError(
      'ParameterLimitExceeded',
      'You have exceeded the number of parameters for this AWS account.',
    )
  }
  const tags = readTags(input.Tags)
  if (await insertParameter(tx, { ...key, tags })) return 1
  throw concurrent()
}

/** The number of the next version. The oldest one goes where there are as many as there can be. */
async function takeNext({ tx }: Call, key: ParameterKey): Promise<number> {
  const next = await takeNextVersion(tx, key)
  if (next === undefined) throw concurrent()
  const versions = await listVersions(tx, key)
  const [oldest] = versions
  if (!oldest || versions.length < versionsMax) return next
  if (oldest.labels.length > 0) {
    throw new ApiError(
      'ParameterMaxVersionLimitExceeded',
      `You attempted to create a new version of ${key.name} by calling the PutParameter API with ` +
        `the overwrite flag. Version ${oldest.version}, the oldest version, can't be deleted ` +
        'because it has a label associated with it. Move the label to another version of the ' +
        'parameter, and try again.',
    )
  }
  await deleteVersion(tx, oldest)
  return next
}

const concurrent = (): ApiError =>
  new ApiError(
    'TooManyUpdates',
    'There are concurrent updates for a resource that supports one update at a time.',
  )
