import { ApiError, missingParameter } from '../../lib/errors.ts'
import { findCaller, parsePrincipal } from '../../iam/find-caller.ts'
import { isOperator } from '../../iam/operator.ts'
import { parseImageId } from '../../images/image.ts'
import { findImage } from '../../images/store.ts'
import type { Extension, ExtensionInput } from '../../wire/extension.ts'
import { explainedAction } from '../explained-action.ts'
import { conclude } from '../finding.ts'
import { explainImage } from '../image-rules.ts'
import { explainPolicies } from '../policy-rules.ts'

/**
 * Which rules let somebody do something with an image, hide it or refuse. It is told of
 * one's own account; of another's by the image's owner, without what is that account's
 * secret; and of any by the account of the installation.
 */
export const explainImageCall: Extension = {
  kind: 'read',
  action: 'ExplainImage',
  method: 'POST',
  path: '/imago/v1/explanations',
  async run({ input, db, caller: asker, region, now }) {
    const { principal, action: actionText, imageId: id, isToPublish } = readBody(input)
    const action = explainedAction(actionText)
    const imageId = parseImageId(id)
    const named = parsePrincipal(principal)
    if (!named) {
      throw new ApiError(
        'InvalidParameterValue',
        `'${principal}' is neither an account's number nor the ARN of a user or role.`,
      )
    }
    const knowsAll = await isOperator(db, asker)
    const isOwnAccount = named.accountId === asker.accountId
    const isOwnImage = (await findImage(db, imageId))?.accountId === asker.accountId
    const knowsAccount = knowsAll || isOwnAccount
    if (!knowsAccount && (!isOwnImage || named.kind !== 'root')) {
      throw new ApiError(
        'UnauthorizedOperation',
        "Of another account's calls only those of the account as a whole can be explained, about an image of your own.",
      )
    }
    const caller = await findCaller(db, named, { region, now })
    if (!caller) throw new ApiError('InvalidParameterValue', `There is no '${principal}'.`)
    const asked = {
      caller,
      region,
      now,
      action,
      imageId,
      isToPublish,
      knowsAccount,
      knowsImage: knowsAll || isOwnImage,
    }
    const findings = [
      ...(knowsAccount ? await explainPolicies(db, asked) : []),
      ...(await explainImage(db, asked)),
    ]
    return { principal: caller.arn, action: action.name, imageId, ...conclude(findings), findings }
  },
}

function readBody({ body }: ExtensionInput) {
  const given = typeof body === 'object' && body !== null ? body : {}
  const text = (name: string): string => {
    const value: unknown = Reflect.get(given, name)
    if (typeof value === 'string' && value !== '') return value
    throw missingParameter(name)
  }
  return {
    principal: text('principal'),
    action: text('action'),
    imageId: text('imageId'),
    isToPublish: Reflect.get(given, 'isToPublish') === true,
  }
}
