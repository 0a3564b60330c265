/**
 * The tags of users, roles, managed policies and instance profiles. The calls are the same for all, and each
 * is named after what it is about:
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagInstanceProfile.html
 */
import type { Database } from '../db/database.ts'
import { type TagInput, tagOfInput } from '../tags/tag.ts'
import { type Operation, readOperation, writeOperation } from '../wire/operation.ts'
import { tagsOfRequest } from './ec2-resources.ts'
import { type Entity, type EntityKind, kindWords } from './entity.ts'
import { lockEntity } from './entity-store.ts'
import type { Caller } from './evaluate.ts'
import { requireEntity } from './find.ts'
import { requireManaged } from './find-managed.ts'
import { type PageInput, pageOf } from './list-page.ts'
import {
  checkTagKeys,
  entityTagsMax,
  readEntityTags,
  tooManyTags,
  viewEntityTags,
} from './tag-rules.ts'
import { listEntityTags, putEntityTags, removeEntityTags } from './tag-store.ts'

type Kind = Exclude<EntityKind, 'group'>

interface Input extends PageInput {
  readonly UserName?: string
  readonly RoleName?: string
  readonly InstanceProfileName?: string
  readonly PolicyName?: never
  readonly PolicyArn?: string
  readonly Tags?: readonly TagInput[]
  readonly TagKeys?: readonly string[]
}

/** The calls about the tags of one kind. */
export function entityTags(kind: Kind): readonly Operation[] {
  const word = kindWords[kind]
  const find = (
    db: Database,
    { input, caller }: { readonly input: Input; readonly caller: Caller },
    action: string,
  ): Promise<Entity> => {
    const tags = [
      ...(input.Tags ?? []).map(tagOfInput),
      ...(input.TagKeys ?? []).map((key) => ({ key })),
    ]
    const keys = tagsOfRequest(tags)
    if (kind === 'policy') {
      const { PolicyArn } = input
      return requireManaged(db, { caller }, action, PolicyArn, keys).then(({ entity }) => entity)
    }
    const keysOf = () => keys
    return requireEntity(db, { caller }, action, { kind, name: input[`${word}Name`], keysOf })
  }
  const declared = { service: 'iam', demands: () => [] } as const
  return [
    writeOperation<Input, void>({
      ...declared,
      action: `Tag${word}`,
      owesNothing: true,
      async run(call) {
        const { tx, input } = call
        const { id } = await find(tx, call, `Tag${word}`)
        await lockEntity(tx, id)
        await putEntityTags(tx, id, readEntityTags(input.Tags))
        if ((await listEntityTags(tx, id)).length > entityTagsMax) throw tooManyTags()
      },
    }),
    writeOperation<Input, void>({
      ...declared,
      action: `Untag${word}`,
      owesNothing: true,
      async run(call) {
        const { tx, input } = call
        const { id } = await find(tx, call, `Untag${word}`)
        const keys = input.TagKeys ?? []
        checkTagKeys(keys)
        await removeEntityTags(tx, id, keys)
      },
    }),
    readOperation<Input, object>({
      ...declared,
      action: `List${word}Tags`,
      async run(call) {
        const { id } = await find(call.db, call, `List${word}Tags`)
        const tags = await listEntityTags(call.db, id)
        const { items, ...rest } = pageOf(tags, call.input, ({ key }) => key.toLowerCase())
        return { Tags: viewEntityTags(items), ...rest }
      },
    }),
  ]
}
