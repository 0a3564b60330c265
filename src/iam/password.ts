/**
 * A password as it is kept: what scrypt makes of it and of a salt of its own. What a password
 * has to be is AWS's default policy.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
 */
import { scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { ApiError } from '../lib/errors.ts'
import type { RandomBytes } from '../lib/seal.ts'

const hashed = promisify<string, Uint8Array, number, Buffer>(scrypt)

const saltBytes = 16
const hashBytes = 32
const lengthMin = 8
const lengthMax = 128
const kinds = [/[A-Z]/, /[a-z]/, /[0-9]/, /[^A-Za-z0-9]/]
const kindsMin = 3

/** Takes long; the password itself is kept nowhere. */
export async function hashPassword(password: string, randomBytes: RandomBytes): Promise<string> {
  const refuse = (rule: string) => new ApiError('PasswordPolicyViolation', `Password ${rule}`)
  if (password.length < lengthMin) {
    throw refuse(`should have a minimum length of ${lengthMin}`)
  }
  if (password.length > lengthMax) throw refuse(`should have a length of at most ${lengthMax}`)
  if (kinds.filter((kind) => kind.test(password)).length < kindsMin) {
    throw refuse('should have three of: uppercase and lowercase letters, numbers, and symbols')
  }
  const salt = randomBytes(saltBytes)
  const hash = await hashed(password, salt, hashBytes)
  return `scrypt:${Buffer.from(salt).toString('base64')}:${hash.toString('base64')}`
}
