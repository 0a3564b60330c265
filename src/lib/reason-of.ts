import { messageOf } from './message-of.ts'

/** As the system names its errors. */
const systemCode = /^E[A-Z0-9]+$/

/**
 * What callers are told of why something could not be done. Errors of the system name files, which
 * are nobody else's business: these are in the log alone.
 */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return systemCode.test(code) ? `An internal error has occurred (${code})` : messageOf(error)
}
