/**
 * What a declarative policy for EC2 can say, and what is in effect of it as the settings
 * that it takes the place of.
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative_syntax.html
 */
import type { ImageCriterion } from '@aws-sdk/client-ec2'
import { ApiError } from '../lib/errors.ts'
import { parseJson } from '../lib/json.ts'
import {
  control,
  controlWords,
  type EffectiveTree,
  isTree,
  operators,
  type PolicyTree,
  type Value,
} from './inheritance.ts'

/** The settings that are declared; those that are not are the account's own. */
export interface Ec2Attributes {
  readonly exceptionMessage?: string
  readonly imagePublicAccess?: 'block-new-sharing' | 'unblocked'
  readonly snapshotPublicAccess?: 'block-all-sharing' | 'block-new-sharing' | 'unblocked'
  readonly allowedImages?: {
    readonly state: 'disabled' | 'audit-mode' | 'enabled'
    readonly criteria: readonly ImageCriterion[]
  }
}

export type Attribute = Exclude<keyof Ec2Attributes, 'exceptionMessage'>

interface Leaf {
  readonly isList?: true
  readonly isRight: (value: unknown) => boolean
}
interface Branch {
  readonly [key: string]: Shape
}
interface Named {
  readonly names: RegExp
  readonly each: Branch
}
type Shape = Leaf | Named | Branch

const oneOf = (...words: readonly string[]): Leaf => ({
  isRight: (value) => typeof value === 'string' && words.includes(value),
})
const textUpTo = (lengthMax: number): Leaf => ({
  isRight: (value) => typeof value === 'string' && value.length <= lengthMax,
})
const upTo = (max: number): Leaf => ({
  isRight: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max,
})
const listOf = (countMax: number, form: RegExp): Leaf => ({
  isList: true,
  isRight: (value) =>
    Array.isArray(value) &&
    value.length <= countMax &&
    value.every((item) => typeof item === 'string' && form.test(item)),
})

const criterion: Branch = {
  allowed_image_providers: listOf(
    200,
    /^(\d{12}|amazon|aws[-_]marketplace|aws[-_]backup[-_]vault|none)$/,
  ),
  image_names: listOf(50, /^.{1,128}$/),
  marketplace_product_codes: listOf(50, /^[A-Za-z0-9]{1,25}$/),
  creation_date_condition: { maximum_days_since_created: upTo(2_147_483_647) },
  deprecation_time_condition: { maximum_days_since_deprecated: upTo(2_147_483_647) },
}

const shape: Branch = {
  ec2_attributes: {
    exception_message: textUpTo(1024),
    image_block_public_access: { state: oneOf('block_new_sharing', 'unblocked') },
    snapshot_block_public_access: {
      state: oneOf('block_all_sharing', 'block_new_sharing', 'unblocked'),
    },
    allowed_images_settings: {
      state: oneOf('enabled', 'disabled', 'audit_mode'),
      image_criteria: { names: /^criteria_([1-9]|10)$/, each: criterion },
    },
  },
}

/** What AWS can declare and this service has no such setting of. */
const notHere = [
  'instance_metadata_defaults',
  'serial_console_access',
  'vpc_block_public_access',
  'vpc_encryption_control',
]

const isLeafShape = (one: Shape): one is Leaf => 'isRight' in one
const isNamed = (one: Shape): one is Named => 'names' in one && one['names'] instanceof RegExp

/** Reads a policy. Throws where it says something that cannot be declared. */
export function checkAttributes(content: string): PolicyTree {
  const read = parse(content)
  if (!isObject(read)) throw fault('It must be a JSON object.')
  check(read, shape, '')
  if (!isObject(read['ec2_attributes'])) throw fault('It must have ec2_attributes.')
  return read as PolicyTree
}

function parse(content: string): unknown {
  try {
    return parseJson(content)
  } catch {
    throw fault('It is no JSON.')
  }
}

function check(
  node: Readonly<Record<string, unknown>>,
  shapes: Branch | Named,
  path: string,
): void {
  for (const [key, value] of Object.entries(node)) {
    const at = path === '' ? key : `${path}.${key}`
    if (key === control) {
      checkControl(value, at)
      continue
    }
    const found = shapeOf(shapes, key)
    if (!found) {
      const isKnown = notHere.includes(key) && path === 'ec2_attributes'
      throw fault(isKnown ? `${at} is not supported by Imago.` : `There is no ${at}.`)
    }
    if (!isObject(value)) throw fault(`${at} must be an object.`)
    if (isLeafShape(found)) checkLeaf(value, found, at)
    else check(value, found, at)
  }
}

function shapeOf(shapes: Branch | Named, key: string): Shape | undefined {
  if (isNamed(shapes)) return shapes.names.test(key) ? shapes.each : undefined
  return Object.hasOwn(shapes, key) ? shapes[key] : undefined
}

function checkLeaf(node: Readonly<Record<string, unknown>>, leaf: Leaf, at: string): void {
  for (const [key, value] of Object.entries(node)) {
    if (key === control) checkControl(value, `${at}.${key}`)
    else if (key !== '@@assign' && !(leaf.isList && isOneOf(key, operators))) {
      throw fault(`${at} cannot have ${key}.`)
    } else if (!leaf.isRight(value)) throw fault(`The value of ${at} is not valid.`)
  }
  if (Object.keys(node).length === 0) throw fault(`${at} has no operator.`)
}

function checkControl(value: unknown, at: string): void {
  const isRight = Array.isArray(value) && value.every((word) => isOneOf(word, controlWords))
  if (!isRight) throw fault(`${at} must be a list of ${controlWords.join(', ')}.`)
}

const isOneOf = (word: unknown, words: readonly string[]): boolean =>
  typeof word === 'string' && words.includes(word)

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const fault = (message: string): ApiError =>
  new ApiError('MalformedPolicyDocumentException', message)

/** The settings that are in effect. */
export function readAttributes(effective: EffectiveTree): Ec2Attributes {
  const at = (...path: readonly string[]): EffectiveTree | Value | undefined =>
    path.reduce<EffectiveTree | Value | undefined>(
      (node, key) => (isTree(node) ? node[key] : undefined),
      effective['ec2_attributes'],
    )
  /** AWS writes the same words with other lines in its policies. */
  const word = (...path: readonly string[]) => {
    const value = at(...path)
    return typeof value === 'string' ? value.replaceAll('_', '-') : undefined
  }
  const message = at('exception_message')
  const images = word('image_block_public_access', 'state')
  const snapshots = word('snapshot_block_public_access', 'state')
  const allowed = word('allowed_images_settings', 'state')
  const criteria = at('allowed_images_settings', 'image_criteria')
  return {
    ...(typeof message === 'string' && { exceptionMessage: message }),
    ...(images !== undefined && {
      imagePublicAccess: images as 'block-new-sharing' | 'unblocked',
    }),
    ...(snapshots !== undefined && {
      snapshotPublicAccess: snapshots as 'block-all-sharing' | 'block-new-sharing' | 'unblocked',
    }),
    ...(allowed !== undefined && {
      allowedImages: {
        state: allowed as 'disabled' | 'audit-mode' | 'enabled',
        criteria: isTree(criteria) ? readCriteria(criteria) : [],
      },
    }),
  }
}

/** The criteria in the order of their numbers. */
function readCriteria(criteria: PolicyTree): readonly ImageCriterion[] {
  const numberOf = (name: string) => Number(name.slice('criteria_'.length))
  return Object.entries(criteria)
    .toSorted(([a], [b]) => numberOf(a) - numberOf(b))
    .flatMap(([, each]) => (isTree(each) ? [readCriterion(each)] : []))
}

function readCriterion(each: PolicyTree): ImageCriterion {
  const list = (key: string): string[] | undefined => {
    const value = each[key]
    return Array.isArray(value) ? [...(value as readonly string[])] : undefined
  }
  const days = (key: string, name: string): number | undefined => {
    const condition = each[key]
    const value = isTree(condition) ? condition[name] : undefined
    return typeof value === 'number' ? value : undefined
  }
  const providers = list('allowed_image_providers')?.map((name) => name.replaceAll('_', '-'))
  const names = list('image_names')
  const codes = list('marketplace_product_codes')
  const created = days('creation_date_condition', 'maximum_days_since_created')
  const deprecated = days('deprecation_time_condition', 'maximum_days_since_deprecated')
  return {
    ...(providers && { ImageProviders: providers }),
    ...(names && { ImageNames: names }),
    ...(codes && { MarketplaceProductCodes: codes }),
    ...(created !== undefined && {
      CreationDateCondition: { MaximumDaysSinceCreated: created },
    }),
    ...(deprecated !== undefined && {
      DeprecationTimeCondition: { MaximumDaysSinceDeprecated: deprecated },
    }),
  }
}
