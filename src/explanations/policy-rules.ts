/**
 * What the policies of a caller say of an action on an image, and which statement it is
 * that says so. They are asked all that the plain call would be asked: the one that names
 * the image and leaves open what it can.
 */
import type { Demand } from '../iam/demand.ts'
import { ec2Demands } from '../iam/ec2-touched.ts'
import { type Caller, questionOf } from '../iam/evaluate.ts'
import { copyImageDemands, modifyImageAttributeDemands } from '../images/demands.ts'
import { launchDemands } from '../instances/launch-demands.ts'
import type { Database } from '../db/database.ts'
import { decide, type Decider } from '../policies/decide.ts'
import { refusalText } from '../policies/refusal.ts'
import { type Finding, passes, refuses } from './finding.ts'
import type { Asked } from './image-rules.ts'

export async function explainPolicies(db: Database, asked: Asked): Promise<readonly Finding[]> {
  const { caller } = asked
  const refused: Finding[] = []
  const by: Decider[] = []
  for (const { action, touched } of await demandsOf(db, asked)) {
    const question = questionOf(caller, { action, resource: touched.arn }, touched)
    const decision = decide(question, caller.policies)
    if (decision.outcome === 'allowed') by.push(...decision.by)
    else {
      const told = decision.outcome === 'denied' ? ` It is ${textOf(decision.by)}.` : ''
      const text = `${refusalText(question, decision)}.${told}`
      refused.push(refuses('policies', 'UnauthorizedOperation', text))
    }
  }
  return refused.length > 0 ? refused : [passes('policies', allowedText(caller, by))]
}

async function demandsOf(db: Database, asked: Asked): Promise<readonly Demand[]> {
  const { action, imageId: ImageId, isToPublish, region } = asked
  const asking = { ...asked, db }
  switch (action.name) {
    case 'RunInstances':
      return await launchDemands({ ImageId, MinCount: 1, MaxCount: 1 }, asking)
    case 'CopyImage': {
      const source = { SourceImageId: ImageId, SourceRegion: region }
      return await copyImageDemands({ ...source, Name: undefined }, asking)
    }
    case 'ModifyImageAttribute': {
      const LaunchPermission = isToPublish ? { Add: [{ Group: 'all' as const }] } : undefined
      return await modifyImageAttributeDemands({ ImageId, LaunchPermission }, asking)
    }
    default:
      return await ec2Demands(action.name, { ImageId }, asking)
  }
}

function allowedText({ principal }: Caller, by: readonly Decider[]): string {
  if (by.length > 0) return `They allow it: ${[...new Set(by.map(textOf))].join('; ')}.`
  return principal.kind === 'root' ? 'The account’s root needs none.' : 'They allow it.'
}

function textOf({ layer, policy, statement }: Decider): string {
  const { sid } = statement.document
  const named = sid ? ` ('${sid}')` : ''
  return `statement ${statement.index + 1}${named} of the ${layer} policy ${policy}`
}
