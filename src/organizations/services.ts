/**
 * Services that an organization has dealings with. Those of this installation need nobody's
 * trust; what is said of services is kept for the tools that manage it, and an account that
 * is EC2's administrator may have reports on the others' accounts.
 */
import { ApiError } from '../lib/errors.ts'

export const ec2Principal = 'ec2.amazonaws.com'

export interface TrustedService {
  readonly principal: string
  readonly since: Date
}

/** An account that may do for a service what the management account may. */
export interface Delegation extends TrustedService {
  readonly accountId: string
}

/** Refuses what is the name of no service. */
export function checkServicePrincipal(text: string | undefined): string {
  if (text !== undefined && /^[\w+=,.@-]{1,128}$/.test(text)) return text
  throw new ApiError(
    'InvalidInputException',
    'You provided a service principal that is not recognized.',
    { reason: 'UNRECOGNIZED_SERVICE_PRINCIPAL' },
  )
}
