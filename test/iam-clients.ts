/** For tests: clients of a system for its administrator, and for the users and roles that it makes. */
import type { TestContext } from 'node:test'
import { EC2Client } from '@aws-sdk/client-ec2'
import { CreateAccessKeyCommand, IAMClient } from '@aws-sdk/client-iam'
import { STSClient } from '@aws-sdk/client-sts'
import { startSystem, type SystemOptions } from './system.ts'

export async function startWithUsers(
  context: Pick<TestContext, 'after'>,
  options: SystemOptions = {},
) {
  const system = await startSystem(context, { isIdle: true, ...options })
  const closing = <T extends { destroy(): void }>(client: T): T => {
    context.after(() => client.destroy())
    return client
  }
  const clientsOf = (options?: Parameters<typeof system.settingsWith>[0]) => {
    const settings = system.settingsWith(options)
    return {
      iam: closing(new IAMClient(settings)),
      sts: closing(new STSClient(settings)),
      ec2: closing(new EC2Client(settings)),
    }
  }
  const admin = clientsOf()
  /** The clients of a new key of a user. */
  const clientsOfUser = async (UserName: string) => {
    const { AccessKey } = await admin.iam.send(new CreateAccessKeyCommand({ UserName }))
    const { AccessKeyId: id = '', SecretAccessKey: secret = '' } = AccessKey ?? {}
    return { id, secret, ...clientsOf({ id, secret }) }
  }
  return { system, admin, clientsOf, clientsOfUser }
}
