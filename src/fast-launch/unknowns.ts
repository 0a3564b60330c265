/** What nobody has seen AWS do about fast launch: each guess has its one constant here, as in `images/unknowns.ts`. */
import type { _InstanceType } from '@aws-sdk/client-ec2'
import type { ErrorCode } from '../lib/errors.ts'

/** The code where an image is none of Windows, or has no volume as its root. */
export const notWindowsCode: ErrorCode = 'InvalidParameterValue'

/** The code where fast launch is not enabled and shall be disabled, or is being disabled and shall be enabled. */
export const stateCode: ErrorCode = 'IncorrectState'

/** How many snapshots are kept where the call does not say it. */
export const targetCountDefault = 5

/** How many instances set themselves up at once where the call does not say it: the least that it may say. */
export const parallelDefault = 6

/** How many of either a call may say at most. */
export const countMax = 1000

/** How long an instance may take to set itself up and shut down. */
export const preparingMinutesMax = 60

/** What the instances are, the first that the image supports. AWS has t3 and does not say of which size. */
export const preparingTypes: readonly _InstanceType[] = [
  't3.medium',
  't3.small',
  't3.large',
  'm5.large',
  't4g.medium',
  't4g.small',
]

/**
 * What Windows is told to do when it has set itself up, by the agents that run user data as the last step of that. AWS
 * does not say how it finds out. The agent is told to forget that it was there, so that it does for the instance that
 * is launched what it does for a new one: its user data, its password.
 */
export const preparingUserData = `<powershell>
$agent = "$env:ProgramFiles\\Amazon\\EC2Launch\\EC2Launch.exe"
if (Test-Path $agent) { & $agent reset }
Stop-Computer -Force
</powershell>
`
