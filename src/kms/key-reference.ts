/** How calls name a key: by its id, its ARN, the name of an alias or the alias's ARN. */
import { ApiError } from '../lib/errors.ts'
import type { Place } from './key.ts'

export type KeyReference = Place &
  (
    | { readonly kind: 'key'; readonly id: string }
    | { readonly kind: 'alias'; readonly name: string }
  )

const lengthMax = 2048

/** Reads a key's name. What has none of the four forms is no key. */
export function parseKeyReference(text: string, here: Place): KeyReference {
  if (text.length > lengthMax) throw invalidKeyId(text)
  if (!text.startsWith('arn:')) return { ...here, ...parseName(text) }
  const [, region, accountId, name] =
    /^arn:aws:kms:([a-z0-9-]+):(\d{12}):((?:key|alias)\/.+)$/.exec(text) ?? []
  if (!region || !accountId || !name)
    throw new ApiError('InvalidArnException', `Invalid arn ${text.slice(0, 200)}`)
  // A key is only where it was made.
  if (region !== here.region) throw new ApiError('NotFoundException', `Invalid arn ${region}`)
  return { region, accountId, ...parseName(name.replace(/^key\//, '')) }
}

function parseName(
  text: string,
):
  | { readonly kind: 'key'; readonly id: string }
  | { readonly kind: 'alias'; readonly name: string } {
  if (/^alias\/[a-zA-Z0-9/_-]+$/.test(text)) return { kind: 'alias', name: text }
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text))
    return { kind: 'key', id: text.toLowerCase() }
  throw invalidKeyId(text)
}

export const invalidKeyId = (text: string): ApiError =>
  new ApiError('NotFoundException', `Invalid keyId '${text.slice(0, 200)}'`)

/** What the ARN of a key says; nothing where it is no such ARN. */
export function parseKeyArn(arn: string): (Place & { readonly id: string }) | undefined {
  const [, region, accountId, id] = /^arn:aws:kms:([^:]+):([^:]+):key\/(.+)$/.exec(arn) ?? []
  return region && accountId && id ? { region, accountId, id } : undefined
}
