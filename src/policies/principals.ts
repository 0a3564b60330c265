/**
 * Who calls, and whom a policy of a resource means by its `Principal`. A role is no caller:
 * its sessions are, and a policy can mean the one, the other, or the whole account.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */

export type Principal =
  | { readonly kind: 'root' | 'user'; readonly accountId: string; readonly arn: string }
  | {
      readonly kind: 'session'
      readonly accountId: string
      /** `arn:aws:sts::123456789012:assumed-role/builder/i-0123` */
      readonly arn: string
      /** `arn:aws:iam::123456789012:role/teams/builder` */
      readonly behindArn: string
    }
  | {
      readonly kind: 'federated user'
      readonly accountId: string
      readonly arn: string
      readonly behindArn: string
    }
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'anonymous' }

export type PrincipalPattern =
  | { readonly kind: 'everyone' }
  | { readonly kind: 'account'; readonly accountId: string }
  | { readonly kind: 'arn'; readonly arn: string }
  | { readonly kind: 'service'; readonly name: string }
  /** Of another directory, such as a SAML provider. No caller of this service is. */
  | { readonly kind: 'elsewhere'; readonly name: string }

/**
 * How a caller is meant: by its own name, by that of the role or user behind its
 * session, or as one of its account, which then has to allow it too.
 */
export type Meant = 'directly' | 'behind' | 'as account'

const strength = { directly: 3, behind: 2, 'as account': 1 } as const

/** The most direct way in which `patterns` mean the caller, if any does. */
export function meant(
  patterns: readonly PrincipalPattern[],
  principal: Principal,
): Meant | undefined {
  let most: Meant | undefined
  for (const pattern of patterns) {
    const way = meantBy(pattern, principal)
    if (way && (!most || strength[way] > strength[most])) most = way
  }
  return most
}

function meantBy(pattern: PrincipalPattern, principal: Principal): Meant | undefined {
  if (pattern.kind === 'everyone') return 'directly'
  if (principal.kind === 'anonymous' || pattern.kind === 'elsewhere') return undefined
  if (principal.kind === 'service' || pattern.kind === 'service') {
    const isIt = principal.kind === pattern.kind && principal.name === pattern.name
    return isIt ? 'directly' : undefined
  }
  if (pattern.kind === 'account') {
    return pattern.accountId === principal.accountId ? 'as account' : undefined
  }
  if (pattern.arn === principal.arn) return 'directly'
  return 'behindArn' in principal && pattern.arn === principal.behindArn ? 'behind' : undefined
}

/** Reads one principal of the kind `AWS`, or nothing where it names none. */
export function awsPrincipal(text: string): PrincipalPattern | undefined {
  if (text === '*') return { kind: 'everyone' }
  const account = /^(?:arn:[a-z-]+:iam::)?(?<accountId>\d{12})(?<root>:root)?$/.exec(text)?.groups
  if (account && text.startsWith('arn:') === (account['root'] !== undefined)) {
    return { kind: 'account', accountId: account['accountId'] ?? '' }
  }
  const names =
    /^arn:[a-z-]+:(iam::\d{12}:(user|role)\/|sts::\d{12}:(assumed-role\/[^/]+\/|federated-user\/))[\w+=,.@/-]+$/
  return names.test(text) ? { kind: 'arn', arn: text } : undefined
}
