/**
 * A disk on its way in from outside, to become an image.
 *
 *     active ──▶ completed (it has an image)
 *        └─────▶ error (it says why)
 */
import type { Digest } from '../lib/digest.ts'
import { ApiError, invalidParameterValue, missingParameter } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'

export type ImportId = `imp-${string}`

/** Where the disk comes from: a recipe of a starter image, a file of this host, a URL. */
export type ImportKind = 'catalog' | 'file' | 'url'

/** What the image shall be. */
export interface ImageWishes {
  readonly name: string
  readonly description: string | undefined
  readonly architecture: 'x86_64' | 'arm64'
  /** Found out from the disk where nothing is said. */
  readonly bootMode: 'legacy-bios' | 'uefi' | 'uefi-preferred' | undefined
  readonly isPublic: boolean
}

export interface Import {
  readonly id: ImportId
  /** Whose image it becomes. */
  readonly accountId: string
  readonly region: string
  readonly kind: ImportKind
  readonly source: string
  readonly image: ImageWishes
  readonly state: 'active' | 'completed' | 'error'
  /** What is going on, or what went wrong. */
  readonly message: string
  readonly doneBytes: number
  readonly totalBytes: number
  readonly createdAt: Date
  readonly imageId: Id<'image'> | undefined
  readonly snapshotId: Id<'snapshot'> | undefined
  readonly manifest: Digest | undefined
}

/** Reads what a caller wishes to import. Throws where it is not of the form. */
export function parseImportRequest(body: unknown): {
  readonly kind: 'file' | 'url'
  readonly source: string
  readonly image: ImageWishes
} {
  const fields = new Map(Object.entries(body !== null && typeof body === 'object' ? body : {}))
  const text = (name: string, lengthMax: number): string | undefined => {
    const value: unknown = fields.get(name)
    if (value === undefined || value === '') return undefined
    if (typeof value === 'string' && value.length <= lengthMax) return value
    const shown = JSON.stringify(value) ?? ''
    throw invalidParameterValue(name, shown, `It must be a text of at most ${lengthMax}.`)
  }
  const source = text('source', 4096)
  const name = text('name', 128)
  if (!source) throw missingParameter('source')
  if (!name) throw missingParameter('name')
  const architecture = text('architecture', 16) ?? 'x86_64'
  if (architecture !== 'x86_64' && architecture !== 'arm64') {
    throw invalidParameterValue('architecture', architecture, 'It must be x86_64 or arm64.')
  }
  const bootMode = text('bootMode', 16)
  if (
    bootMode !== undefined &&
    bootMode !== 'legacy-bios' &&
    bootMode !== 'uefi' &&
    bootMode !== 'uefi-preferred'
  ) {
    throw invalidParameterValue('bootMode', bootMode, 'It must be a boot mode of an image.')
  }
  const isUrl = /^https?:\/\//i.test(source)
  if (!isUrl && !source.startsWith('/')) {
    throw invalidParameterValue('source', source, 'It must be an absolute path or an http(s) URL.')
  }
  return {
    kind: isUrl ? 'url' : 'file',
    source,
    image: { name, description: text('description', 255), architecture, bootMode, isPublic: false },
  }
}

/** The import of a starter image: everybody's, of the provider's account. */
export function catalogImport(
  recipe: {
    readonly name: string
    readonly description: string
    readonly architecture: 'x86_64' | 'arm64'
  },
  made: Owner & {
    readonly now: Date
    readonly random: Uint8Array
  },
): Import {
  const { now, random, accountId, region } = made
  // Images of one name cannot be two, so a name says when it was baked, as Debian's own do.
  const stamp = now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')
  return {
    id: formatImportId(random),
    accountId,
    region,
    kind: 'catalog',
    source: recipe.name,
    image: {
      name: `${recipe.name}-${stamp}`,
      description: recipe.description,
      architecture: recipe.architecture,
      bootMode: undefined,
      isPublic: true,
    },
    state: 'active',
    message: 'waiting',
    doneBytes: 0,
    totalBytes: 0,
    createdAt: now,
    imageId: undefined,
    snapshotId: undefined,
    manifest: undefined,
  }
}

export function formatImportId(random: Uint8Array): ImportId {
  return `imp-${Buffer.from(random).toString('hex')}`
}

export function importNotFound(id: string): ApiError {
  return new ApiError('InvalidID', `The import '${id}' does not exist`)
}
