/** A whole system in a folder of its own, on a real port, and clients of the official SDK for it. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { EC2Client } from '@aws-sdk/client-ec2'
import { readConfig } from '../src/config.ts'
import { transaction } from '../src/db/database.ts'
import { readMasterKey } from '../src/db/master-key.ts'
import type { Statement } from '../src/iam/evaluate.ts'
import { insertAccount, putAccessKey } from '../src/iam/store.ts'
import { formatId } from '../src/lib/ids.ts'
import { Secret } from '../src/lib/secret.ts'
import { type Imago, openImago } from '../src/main.ts'
import { ensureDefaultNetwork } from '../src/network/defaults.ts'
import { databases } from './databases.ts'
import { lastFirst } from './last-first.ts'

export const region = 'us-east-1'
export const accountId = '123456789012'

export const allowAll: Statement = { effect: 'Allow', actions: ['*'], resources: ['*'] }

export interface TestSystem {
  readonly imago: Imago
  readonly db: Imago['db']
  readonly endpoint: string
  readonly dataFolder: string
  /** The administrator's client. */
  readonly ec2: EC2Client
  /** A client of another account, which is made when it is first asked for. */
  client(account: string, policies?: readonly Statement[]): Promise<EC2Client>
  /** A client with what the caller says, such as a wrong secret or another Region. */
  clientWith(options: ClientOptions): EC2Client
  /** What a client of any service is made with: the administrator's, or as `clientWith` has it. */
  settingsWith(options?: ClientOptions): ClientSettings
  /** The same for another account, as `client` has it. */
  settingsOf(account: string, policies?: readonly Statement[]): Promise<ClientSettings>
  /** Waits until `is` gives something, and gives that. */
  until<T>(what: string, is: () => Promise<T | undefined | false>): Promise<T>
}

/** What of a client is otherwise than the administrator's. */
export interface ClientOptions {
  readonly id?: string
  readonly secret?: string
  /** Of a session. */
  readonly token?: string
  readonly region?: string
}

/** How every client of the SDK can be set up. */
export interface ClientSettings {
  readonly endpoint: string
  readonly region: string
  readonly maxAttempts: number
  readonly credentials: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
}

export interface SystemOptions {
  readonly database?: keyof typeof databases
  /** Calls are recorded and nothing is done about them. */
  readonly isIdle?: boolean
  /** Where they are not the usual ones. */
  readonly regions?: string
  /** Where it is not one that is made up. */
  readonly masterKey?: Uint8Array
  /** A folder to go on with; nothing is removed from it. */
  readonly dataFolder?: string
}

export async function startSystem(
  context: Pick<TestContext, 'after'>,
  {
    database = 'sqlite',
    isIdle = false,
    dataFolder: given,
    regions,
    masterKey,
  }: SystemOptions = {},
): Promise<TestSystem> {
  const dataFolder = given ?? (await mkdtemp(join(tmpdir(), 'imago-system-')))
  const opened = lastFirst()
  const connections = database === 'sqlite' ? undefined : await databases[database](opened)
  const config = readConfig({
    IMAGO_DATA: dataFolder,
    IMAGO_LISTEN: '127.0.0.1:0',
    IMAGO_ACCEL: 'tcg',
    IMAGO_ACCOUNT_ID: accountId,
    // What tests have the service call is on this host.
    IMAGO_OUTBOUND_HOSTS: 'public,127.0.0.1',
    ...(regions !== undefined && { IMAGO_REGIONS: regions }),
  })
  const imago = await openImago({
    config,
    isIdle,
    hasNoStarter: true,
    ...(masterKey && { masterKey }),
    log: {
      info() {},
      warn() {},
      error: (message, fields) => console.error(message, fields),
    },
    ...(connections && { database: connections }),
  })
  context.after(async () => {
    await imago.close()
    await opened.end()
    if (!given) await rm(dataFolder, { recursive: true, force: true })
  })

  const { db, endpoint, rootKey } = imago
  const settingsWith: TestSystem['settingsWith'] = ({ id, secret, token, region: other } = {}) => ({
    endpoint,
    region: other ?? region,
    maxAttempts: 1,
    credentials: {
      accessKeyId: id ?? rootKey.id,
      secretAccessKey: secret ?? rootKey.secret.reveal(),
      ...(token !== undefined && { sessionToken: token }),
    },
  })
  const settingsOf: TestSystem['settingsOf'] = async (account, policies = [allowAll]) => {
    const path = join(dataFolder, 'master-key')
    const sealer = await readMasterKey({ path, given: masterKey, randomBytes })
    assert(sealer)
    const key = { id: `AKIA${account}${policies.length}`, secret: new Secret(`of ${account}`) }
    await transaction(db.writes, async (tx) => {
      const now = new Date()
      await insertAccount(tx, { id: account, name: account, alias: undefined }, now)
      const arn = `arn:aws:iam::${account}:user/test`
      const caller = { accountId: account, arn, userId: 'AIDATEST', policies }
      await putAccessKey(tx, { ...key, caller }, now, sealer)
      for (const each of config.regions) {
        await ensureDefaultNetwork(tx, { accountId: account, region: each, newId: formatNew, now })
      }
    })
    return settingsWith({ id: key.id, secret: key.secret.reveal() })
  }
  const ec2Client = (settings: ClientSettings) => {
    const client = new EC2Client(settings)
    context.after(() => client.destroy())
    return client
  }
  return {
    imago,
    db,
    endpoint,
    dataFolder,
    ec2: ec2Client(settingsWith()),
    settingsWith,
    settingsOf,
    clientWith: (options) => ec2Client(settingsWith(options)),
    client: async (account, policies) => ec2Client(await settingsOf(account, policies)),
    async until(what, is) {
      for (let tries = 0; tries < 1200; tries++) {
        const found = await is()
        if (found !== undefined && found !== false) return found
        await sleep(50)
      }
      throw new Error(`it did not come: ${what}`)
    },
  }
}

const formatNew = <K extends Parameters<typeof formatId>[0]>(kind: K) =>
  formatId(kind, randomBytes(9))
