/** How calls name a parameter: by its name or its ARN, and then a version or a label of it. */
import { type ParameterKey, validation } from './parameter.ts'

export interface Reference {
  /** As it was written. */
  readonly text: string
  readonly region: string
  readonly accountId: string
  /** More than one where an ARN does not say whether the name begins with a slash. */
  readonly names: readonly string[]
  /** `3` or a label; the newest version where nothing is said. */
  readonly selector: string | undefined
}

/** Reads `NAME`, `NAME:3`, `NAME:LABEL`, and the same with an ARN for the name. */
export function parseReference(
  text: string,
  here: Pick<ParameterKey, 'accountId' | 'region'>,
): Reference {
  const arn = /^arn:aws[a-z-]*:ssm:([^:]*):(\d*):parameter\/(.+)$/.exec(text)
  if (text.startsWith('arn:') && !arn) throw validation(`Invalid ARN: ${text.slice(0, 200)}`)
  const [, region = here.region, accountId = here.accountId, rest = text] = arn ?? []
  const [name = '', selector, ...more] = rest.split(':')
  if (name === '' || selector === '' || more.length > 0) {
    throw validation(`Invalid parameter name: ${text.slice(0, 200)}`)
  }
  const names = arn ? (name.includes('/') ? [`/${name}`] : [name, `/${name}`]) : [name]
  return { text, region, accountId, names, selector }
}

export const isVersion = (selector: string): boolean => /^\d{1,9}$/.test(selector)
