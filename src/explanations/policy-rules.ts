/** What the policies of a caller say of an action on an image, and which statement it is that says so. */
import { demandsOn } from '../iam/ec2-touched.ts'
import { onAnything } from '../iam/demand.ts'
import { type Caller, questionOf } from '../iam/evaluate.ts'
import type { Database } from '../db/database.ts'
import { decide, type Decider } from '../policies/decide.ts'
import { refusalText } from '../policies/refusal.ts'
import { type Finding, passes, refuses } from './finding.ts'
import type { Asked } from './image-rules.ts'

export async function explainPolicies(db: Database, asked: Asked): Promise<readonly Finding[]> {
  const { caller, region, action, imageId, isToPublish } = asked
  const changes = isToPublish
    ? [{ 'ec2:Attribute': 'LaunchPermission', 'ec2:Add/group': 'all' }]
    : undefined
  // What only lists images is not asked of each; a copy is judged by what it makes.
  const isOfImage = /^(?:Deregister|Modify|Run)/.test(action.name)
  const demands = isOfImage
    ? await demandsOn(action.name, 'image', [imageId], { db, caller, region }, changes)
    : [onAnything(`ec2:${action.name}`)]
  return demands.map(({ action: name, touched: { arn: resource, keys } }) => {
    const question = questionOf(caller, { action: name, resource }, { keys })
    const decision = decide(question, caller.policies)
    if (decision.outcome === 'allowed') return passes('policies', allowedText(caller, decision.by))
    const by = decision.outcome === 'denied' ? ` It is ${textOf(decision.by)}.` : ''
    return refuses('policies', 'UnauthorizedOperation', `${refusalText(question, decision)}.${by}`)
  })
}

function allowedText({ principal }: Caller, by: readonly Decider[]): string {
  if (by.length > 0) return `They allow it: ${by.map(textOf).join('; ')}.`
  return principal.kind === 'root' ? 'The account’s root needs none.' : 'They allow it.'
}

function textOf({ layer, policy, statement }: Decider): string {
  const { sid } = statement.document
  const named = sid ? ` ('${sid}')` : ''
  return `statement ${statement.index + 1}${named} of the ${layer} policy ${policy}`
}
