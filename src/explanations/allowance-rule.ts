/** What the Allowed AMIs of an account say of an image: which criterion it meets, or what each lacks. */
import type { Database } from '../db/database.ts'
import { judgeBy } from '../images/allowance.ts'
import type { Criterion } from '../images/criterion.ts'
import type { Image } from '../images/image.ts'
import { type Manager, readImageSettings } from '../images/held-settings.ts'
import { type Finding, hides, passes } from './finding.ts'

interface Query {
  readonly accountId: string
  readonly region: string
  readonly now: Date
}

/** Where a setting stands: people look for it in vain in the account where its organization says it. */
export const sayerOf = (manager: Manager): string =>
  manager === 'account'
    ? 'in the account and Region'
    : 'by a declarative policy of the account’s organization'

export async function explainAllowance(db: Database, image: Image, query: Query): Promise<Finding> {
  const rule = 'allowed AMIs'
  if (image.accountId === query.accountId) {
    return passes(rule, 'It is the account’s own, which they never restrict.')
  }
  const { allowedState, criteria, managers } = await readImageSettings(db, query)
  if (allowedState === 'disabled') {
    return passes(rule, `They are off ${sayerOf(managers.allowedImages)}.`)
  }
  const judge = async (some: readonly Criterion[]): Promise<boolean> => {
    const verdicts = await judgeBy(db, { ...query, criteria: some })([image])
    return verdicts.get(image.id) ?? false
  }
  const lacks: string[] = []
  for (const [index, criterion] of criteria.entries()) {
    if (await judge([criterion])) return passes(rule, `It meets criterion ${index + 1}.`)
    const unmet: string[] = []
    for (const [member, value] of Object.entries(criterion)) {
      if (value !== undefined && !(await judge([{ [member]: value }]))) unmet.push(member)
    }
    lacks.push(`criterion ${index + 1} by ${unmet.join(' and ')}`)
  }
  if (criteria.length === 0 && (await judge([]))) return passes(rule, 'They name no criterion.')
  const fails = criteria.length === 0 ? 'They name no criterion.' : `It fails ${lacks.join(', ')}.`
  const text = `${fails} They are on ${sayerOf(managers.allowedImages)}.`
  if (allowedState === 'enabled') return hides(rule, 'InvalidAMIID.NotFound', text)
  return passes(rule, `${fails} But they are in audit mode, which only marks it.`)
}
