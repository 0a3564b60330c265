/**
 * What keeps an image from being deregistered, by whomever. One that was protected
 * with a cooldown stays so for a day after its protection was taken away.
 */
import { ApiError } from '../lib/errors.ts'
import type { Image } from './image.ts'
import { cooldownText, protectedCode } from './unknowns.ts'

type Protected = Pick<Image, 'protection' | 'protectedUntil'>

const cooldownMs = 24 * 60 * 60 * 1000

export function isProtected({ protection, protectedUntil }: Protected, now: Date): boolean {
  return protection !== 'disabled' || (protectedUntil !== undefined && protectedUntil > now)
}

/** What an image's protection becomes. Nobody comes around the cooldown by way of another kind. */
export function changeProtection(image: Protected, to: Image['protection'], now: Date): Protected {
  const isLeft = image.protection === 'enabled-with-cooldown' && to !== 'enabled-with-cooldown'
  const protectedUntil = isLeft ? new Date(now.getTime() + cooldownMs) : image.protectedUntil
  return { protection: to, protectedUntil }
}

export function viewProtection(image: Protected, now: Date): string {
  const { protection, protectedUntil } = image
  if (protection !== 'disabled' || !protectedUntil || protectedUntil <= now) return protection
  return cooldownText(protectedUntil)
}

export function imageProtected(id: Image['id']): ApiError {
  return new ApiError(protectedCode, `The image '${id}' is protected from deregistration.`)
}
