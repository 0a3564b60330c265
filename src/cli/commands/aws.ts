/** `imago aws …`: the AWS CLI that is installed, with endpoint, key and Region of the installation. */
import { CommandFailed } from '../failure.ts'
import { credentialsFile, readInstallation } from '../installation.ts'
import { findProgram, runProgram } from '../run-program.ts'
import type { Shell } from '../shell.ts'

/** What would lead the AWS CLI to another account. */
const foreign = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE']

export async function aws(shell: Shell, args: readonly string[]): Promise<number> {
  const { config, access } = readInstallation(shell)
  const program = findProgram(shell, 'aws')
  if (!program) {
    throw new CommandFailed('Install the AWS CLI: sudo apt-get install awscli', { exitCode: 127 })
  }
  const own = Object.entries(shell.environment).filter(([name]) => !foreign.includes(name))
  const environment = {
    ...Object.fromEntries(own),
    AWS_SHARED_CREDENTIALS_FILE: credentialsFile(config.dataFolder),
    AWS_REGION: access.region,
    AWS_DEFAULT_REGION: access.region,
    AWS_ENDPOINT_URL: access.endpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...(access.certificateFile && { AWS_CA_BUNDLE: access.certificateFile }),
  }
  // Versions before 2.13 know the endpoint by the option alone.
  const hasEndpoint = args.some((arg) => /^--endpoint-url(?:=|$)/.test(arg))
  const options = hasEndpoint ? [] : ['--endpoint-url', access.endpoint]
  return await runProgram(shell, [program, ...options, ...args], environment)
}
