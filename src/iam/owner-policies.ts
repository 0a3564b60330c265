/**
 * The policies of a user, group or role: managed ones attached to it, inline ones put into
 * it. The calls are the same for all three, and each is named after what it is about:
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html
 */
import { ApiError } from '../lib/errors.ts'
import {
  type CallContext,
  type Operation,
  readOperation,
  writeOperation,
} from '../wire/operation.ts'
import type { Database } from '../db/database.ts'
import { viewDocument } from './document.ts'
import { checkName, type Entity, noSuchEntity } from './entity.ts'
import { setBoundary } from './entity-store.ts'
import { requireEntity } from './find.ts'
import { requireAttachable } from './find-policy.ts'
import { type PageInput, pageOf } from './list-page.ts'
import {
  deleteInlinePolicy,
  detachPolicy,
  listAttached,
  listInlinePolicies,
} from './policy-store.ts'
import { attach, putInline } from './write-policy.ts'

type Kind = 'user' | 'group' | 'role'
type Owner = Entity & { readonly kind: Kind }

const words = { user: 'User', group: 'Group', role: 'Role' } as const

interface Input extends PageInput {
  readonly UserName?: string
  readonly GroupName?: string
  readonly RoleName?: string
  readonly PolicyArn?: string
  readonly PolicyName?: string
  readonly PolicyDocument?: string
  readonly PermissionsBoundary?: string
  readonly PathPrefix?: string
}

const unsaid = { service: 'iam', demands: () => [] } as const
const declared = { ...unsaid, owesNothing: true } as const

/** The calls about the policies of one kind of owner. */
export function ownerPolicies(kind: Kind): readonly Operation[] {
  const word = words[kind]
  const ownerOf = async (
    db: Database,
    call: CallContext & { readonly input: Input },
    action: string,
  ): Promise<Owner> => {
    const { input } = call
    const name = input[`${word}Name`]
    const keysOf = (owner: Entity | undefined) => ({
      'iam:PolicyARN': input.PolicyArn,
      'iam:PermissionsBoundary': input.PermissionsBoundary ?? owner?.boundaryArn,
    })
    return (await requireEntity(db, call, action, { kind, name, keysOf })) as Owner
  }
  const nameOf = ({ PolicyName = '' }: Input) => checkName('policy', PolicyName, 'policyName')
  const noSuchInline = (name: string) =>
    new ApiError('NoSuchEntity', `The ${kind} policy with name ${name} cannot be found.`)

  const operations: Operation[] = [
    writeOperation<Input, void>({
      ...declared,
      action: `Attach${word}Policy`,
      async run(call) {
        const owner = await ownerOf(call.tx, call, `Attach${word}Policy`)
        await attach(call.tx, owner, call.input.PolicyArn ?? '')
      },
    }),
    writeOperation<Input, void>({
      ...declared,
      action: `Detach${word}Policy`,
      async run(call) {
        const { tx, input } = call
        const owner = await ownerOf(tx, call, `Detach${word}Policy`)
        const { PolicyArn: arn = '' } = input
        if (!(await detachPolicy(tx, owner.id, arn))) throw noSuchEntity('policy', arn)
      },
    }),
    readOperation<Input, object>({
      ...unsaid,
      action: `ListAttached${word}Policies`,
      async run(call) {
        const { db, input } = call
        const owner = await ownerOf(db, call, `ListAttached${word}Policies`)
        const { PathPrefix = '/' } = input
        const arns = await listAttached(db, [owner.id])
        const wanted = arns.filter((arn) => arn.replace(/^[^/]*/, '').startsWith(PathPrefix))
        const { items, ...rest } = pageOf(wanted, input, (arn) => arn)
        const AttachedPolicies = items.map((PolicyArn) => ({
          PolicyName: PolicyArn.split('/').at(-1),
          PolicyArn,
        }))
        return { AttachedPolicies, ...rest }
      },
    }),
    writeOperation<Input, void>({
      ...declared,
      action: `Put${word}Policy`,
      async run(call) {
        const owner = await ownerOf(call.tx, call, `Put${word}Policy`)
        const document = call.input.PolicyDocument ?? ''
        await putInline(call.tx, owner, { name: nameOf(call.input), document })
      },
    }),
    readOperation<Input, object>({
      ...unsaid,
      action: `Get${word}Policy`,
      async run(call) {
        const owner = await ownerOf(call.db, call, `Get${word}Policy`)
        const wanted = nameOf(call.input)
        const all = await listInlinePolicies(call.db, [owner.id])
        const found = all.find(({ name }) => name === wanted)
        if (!found) throw noSuchInline(wanted)
        return {
          [`${word}Name`]: owner.name,
          PolicyName: found.name,
          PolicyDocument: viewDocument(found.document),
        }
      },
    }),
    readOperation<Input, object>({
      ...unsaid,
      action: `List${word}Policies`,
      async run(call) {
        const owner = await ownerOf(call.db, call, `List${word}Policies`)
        const all = await listInlinePolicies(call.db, [owner.id])
        const { items, ...rest } = pageOf(all, call.input, ({ name }) => name)
        return { PolicyNames: items.map(({ name }) => name), ...rest }
      },
    }),
    writeOperation<Input, void>({
      ...declared,
      action: `Delete${word}Policy`,
      async run(call) {
        const owner = await ownerOf(call.tx, call, `Delete${word}Policy`)
        const name = nameOf(call.input)
        if (!(await deleteInlinePolicy(call.tx, owner.id, name))) throw noSuchInline(name)
      },
    }),
  ]
  if (kind === 'group') return operations
  return [
    ...operations,
    writeOperation<Input, void>({
      ...declared,
      action: `Put${word}PermissionsBoundary`,
      async run(call) {
        const owner = await ownerOf(call.tx, call, `Put${word}PermissionsBoundary`)
        const { PermissionsBoundary: arn = '' } = call.input
        await requireAttachable(call.tx, arn, owner.accountId)
        await setBoundary(call.tx, owner.id, arn)
      },
    }),
    writeOperation<Input, void>({
      ...declared,
      action: `Delete${word}PermissionsBoundary`,
      async run(call) {
        const owner = await ownerOf(call.tx, call, `Delete${word}PermissionsBoundary`)
        if (owner.boundaryArn === undefined) {
          throw new ApiError(
            'NoSuchEntity',
            `${word} ${owner.name} does not have a permission boundary attached.`,
          )
        }
        await setBoundary(call.tx, owner.id, undefined)
      },
    }),
  ]
}
