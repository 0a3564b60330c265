/**
 * A statement of a policy, compiled, and the question that it is asked: whether a
 * principal may do one action to one resource.
 */
import { type ArnPattern, type Subject, subjectOf } from './arn-pattern.ts'
import type { Condition } from './conditions.ts'
import type { Context } from './context.ts'
import type { StatementDocument } from './document.ts'
import type { Pattern } from './pattern.ts'
import type { Principal, PrincipalPattern } from './principals.ts'

export interface Statement {
  /** As it was written. */
  readonly document: StatementDocument
  /** Which of its policy it is, from 0. */
  readonly index: number
  readonly effect: 'Allow' | 'Deny'
  /** Only policies of resources have it. */
  readonly principals: Listed<PrincipalPattern> | undefined
  /** In lower case. */
  readonly actions: Listed<Pattern>
  /** Nothing where the policy's own resource is meant, as a trust policy does. */
  readonly resources: Listed<ArnPattern> | undefined
  readonly conditions: readonly Condition[]
}

export interface Listed<T> {
  /** `NotAction` and the like: all but these. */
  readonly isNegated: boolean
  readonly patterns: readonly T[]
}

export interface Question {
  readonly principal: Principal
  /** `ec2:RunInstances` */
  readonly action: string
  /** The ARN, or `*` where the action knows no resources. */
  readonly resource: string
  readonly resourceAccountId: string
  readonly context: Context
}

/** A question, made ready to be put to many statements. */
export interface Prepared {
  readonly question: Question
  readonly action: string
  readonly subject: Subject
}

export function prepare(question: Question): Prepared {
  const { action, resource } = question
  return { question, action: action.toLowerCase(), subject: subjectOf(resource) }
}

const nothing: Context = new Map()

/** Whether a statement is about an action, which is in lower case. */
export function isAbout({ actions }: Statement, action: string): boolean {
  return actions.patterns.some((one) => one.fits(action, nothing)) !== actions.isNegated
}

/** Whether a statement that is about the action is about the resource and the circumstances too. */
export function applies(statement: Statement, { question, subject }: Prepared): boolean {
  const { resources, conditions } = statement
  const { context } = question
  if (
    resources &&
    resources.patterns.some((one) => one.fits(subject, context)) === resources.isNegated
  ) {
    return false
  }
  return conditions.every((condition) => condition.holds(context))
}
