/**
 * A watermark: a word that an account puts on an image, and that every image made
 * of it carries on, whoever makes it and wherever. It stays when the first one's is
 * taken off.
 */
import { ApiError, invalidParameterValue } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import type { Image } from './image.ts'
import { watermarksMax } from './unknowns.ts'

export interface Watermark {
  /** `account:name` */
  readonly key: string
  /** The image that it was put on first. */
  readonly sourceImageId: Id<'image'>
  readonly sourceImageRegion: string
  readonly sourceImageCreatedAt: Date
  readonly createdAt: Date
}

const nameForm = /^[A-Za-z0-9()[\] ./\-'@_]{3,128}$/

export function newWatermark(accountId: string, name: string, image: Image, now: Date): Watermark {
  if (!nameForm.test(name)) {
    throw invalidParameterValue(
      'watermarkName',
      name,
      "It must have 3 to 128 letters, numbers, spaces, or characters of ()[]./-'@_",
    )
  }
  return {
    key: `${accountId}:${name}`,
    sourceImageId: image.id,
    sourceImageRegion: image.region,
    sourceImageCreatedAt: image.createdAt,
    createdAt: now,
  }
}

export function checkWatermarkKey(key: string): void {
  const at = key.indexOf(':')
  if (/^\d{12}$/.test(key.slice(0, at)) && nameForm.test(key.slice(at + 1))) return
  throw invalidParameterValue('watermarkKey', key, 'It must be of the form account:name.')
}

export function publicImageHasNoWatermark(id: Id<'image'>): ApiError {
  return new ApiError(
    'OperationNotPermitted',
    `The image '${id}' is public. A watermark cannot be attached to a public image.`,
  )
}

export function tooManyWatermarks(id: Id<'image'>): ApiError {
  return new ApiError(
    'ResourceLimitExceeded',
    `The image '${id}' has the most watermarks that an image can have: ${watermarksMax}.`,
  )
}
