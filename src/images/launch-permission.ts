/** Who may launch an image beside its owner: accounts, organizations and their units, or everyone. */
import type { LaunchPermission as LaunchPermissionInput } from '@aws-sdk/client-ec2'
import { ApiError } from '../lib/errors.ts'

export interface LaunchPermission {
  readonly kind: 'user' | 'group' | 'organization' | 'organizational-unit'
  /** The account's number, the ARN, or `all`. */
  readonly grantee: string
}

/** Who looks at images: an account, with the organization and the units that it is in. */
export interface Viewer {
  readonly accountId: string
  readonly organizationArn?: string
  readonly unitArns?: readonly string[]
}

/** Every permission that lets `viewer` have a private image. */
export function permissionsOf({
  accountId,
  organizationArn,
  unitArns = [],
}: Viewer): readonly LaunchPermission[] {
  return [
    { kind: 'user', grantee: accountId },
    ...(organizationArn === undefined
      ? []
      : [{ kind: 'organization', grantee: organizationArn } as const]),
    ...unitArns.map((grantee) => ({ kind: 'organizational-unit', grantee }) as const),
  ]
}

const members = {
  UserId: 'user',
  Group: 'group',
  OrganizationArn: 'organization',
  OrganizationalUnitArn: 'organizational-unit',
} as const

const forms: Readonly<Record<LaunchPermission['kind'], { itemType: string; form: RegExp }>> = {
  user: { itemType: 'userId', form: /^\d{12}$/ },
  group: { itemType: 'group', form: /^all$/ },
  organization: {
    itemType: 'organizationArn',
    form: /^arn:aws[a-z-]*:organizations::\d{12}:organization\/o-[a-z0-9]{10,32}$/,
  },
  'organizational-unit': {
    itemType: 'organizationalUnitArn',
    form: /^arn:aws[a-z-]*:organizations::\d{12}:ou\/o-[a-z0-9]{10,32}\/ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}$/,
  },
}

export const everyone: LaunchPermission = { kind: 'group', grantee: 'all' }

/** Reads `LaunchPermission.Add.N` and its like. One bad item refuses them all. */
export function readLaunchPermissions(
  items: readonly LaunchPermissionInput[] = [],
): LaunchPermission[] {
  return items.flatMap((item) =>
    (['UserId', 'Group', 'OrganizationArn', 'OrganizationalUnitArn'] as const).flatMap((member) => {
      const value = item[member]
      return value === undefined ? [] : [parse(members[member], value)]
    }),
  )
}

export function viewLaunchPermission({ kind, grantee }: LaunchPermission): LaunchPermissionInput {
  switch (kind) {
    case 'user':
      return { UserId: grantee }
    case 'group':
      return { Group: 'all' }
    case 'organization':
      return { OrganizationArn: grantee }
    case 'organizational-unit':
      return { OrganizationalUnitArn: grantee }
  }
}

function parse(kind: LaunchPermission['kind'], text: string): LaunchPermission {
  const { itemType, form } = forms[kind]
  // People paste account numbers as the console shows them.
  const grantee = kind === 'user' ? text.replaceAll('-', '') : text
  if (form.test(grantee)) return { kind, grantee }
  throw new ApiError(
    'InvalidAMIAttributeItemValue',
    `Invalid attribute item value "${text}" for ${itemType} item type.`,
  )
}
