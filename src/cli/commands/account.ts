/**
 * `imago account`: accounts of the installation, by the calls of Organizations that every
 * tool uses for them. The first account that is made makes the organization, too.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { CallRefused } from '../ec2-client.ts'
import { CommandFailed } from '../failure.ts'
import { type Access, readInstallation } from '../installation.ts'
import { type Answer, callOrganizations, textIn, within } from '../organizations-client.ts'
import { say, type Shell } from '../shell.ts'

const pollMs = 100
const roleName = 'OrganizationAccountAccessRole'

export interface CreateOptions {
  readonly email?: string
}

/** Makes an account, waits until it is there, and says how one comes into it. */
export async function createAccount(
  shell: Shell,
  name: string,
  { email = addressOf(name) }: CreateOptions,
): Promise<void> {
  const { access } = readInstallation(shell)
  if (!(await isOrganized(access))) await callOrganizations(access, 'CreateOrganization')
  const input = { AccountName: name, Email: email, RoleName: roleName }
  let status = within(
    await callOrganizations(access, 'CreateAccount', input),
    'CreateAccountStatus',
  )
  while (textIn(status, 'State') === 'IN_PROGRESS') {
    await wait(pollMs)
    const asked = { CreateAccountRequestId: status['Id'] }
    const told = await callOrganizations(access, 'DescribeCreateAccountStatus', asked)
    status = within(told, 'CreateAccountStatus')
  }
  if (textIn(status, 'State') === 'FAILED') throw new CommandFailed(whyFailed(status, email))
  const id = textIn(status, 'AccountId')
  say(shell, `Made the account ${id}: ${name}`)
  say(shell, 'To come into it, take its role:')
  say(
    shell,
    `  imago aws sts assume-role --role-arn arn:aws:iam::${id}:role/${roleName} --role-session-name me`,
  )
}

/** Lists all accounts: id, state, name, address. */
export async function listAccounts(shell: Shell): Promise<void> {
  const { access, config } = readInstallation(shell)
  if (!(await isOrganized(access))) {
    say(shell, `${config.accountId}  the only one; for another: imago account create <name>`)
    return
  }
  let next: unknown
  do {
    const input = next === undefined ? {} : { NextToken: next }
    const page = await callOrganizations(access, 'ListAccounts', input)
    for (const account of Array.isArray(page['Accounts']) ? (page['Accounts'] as Answer[]) : []) {
      const field = (name: string) => textIn(account, name)
      say(
        shell,
        [field('Id'), field('Status').padEnd(15), field('Name'), field('Email')].join('  '),
      )
    }
    next = page['NextToken']
  } while (next !== undefined)
}

/** Closes an account, and waits until all that ran in it has come to rest. */
export async function closeAccount(shell: Shell, id: string): Promise<void> {
  const { access } = readInstallation(shell)
  await callOrganizations(access, 'CloseAccount', { AccountId: id })
  for (;;) {
    const described = await callOrganizations(access, 'DescribeAccount', { AccountId: id })
    if (textIn(within(described, 'Account'), 'Status') === 'SUSPENDED') break
    await wait(pollMs)
  }
  say(shell, `Closed the account ${id}. What it has is kept, and nobody calls as it any more.`)
}

async function isOrganized(access: Access): Promise<boolean> {
  try {
    await callOrganizations(access, 'DescribeOrganization')
    return true
  } catch (error) {
    if (error instanceof CallRefused && error.code === 'AWSOrganizationsNotInUseException') {
      return false
    }
    throw error
  }
}

function whyFailed(status: Answer, email: string): string {
  const reason = textIn(status, 'FailureReason')
  if (reason !== 'EMAIL_ALREADY_EXISTS') return `Could not make the account: ${reason}`
  return `Another account has the address ${email}. Give one with --email.`
}

/** Accounts here need no address; AWS's tools expect one. */
const addressOf = (name: string): string =>
  `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}@imago.invalid`
