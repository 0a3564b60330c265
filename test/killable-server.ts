/** The service as a child process on a data folder, which can be killed and started again. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { EC2Client } from '@aws-sdk/client-ec2'
import type { BlockCipher } from '../src/block-store/block-cipher.ts'
import { BlockStore } from '../src/block-store/block-store.ts'
import { checkInstallation } from '../src/checker/checker.ts'
import type { Finding } from '../src/checker/finding.ts'
import { callImago, type Fields } from '../src/cli/imago-client.ts'
import { openSqlite } from '../src/db/database.ts'
import { readMasterKey } from '../src/db/master-key.ts'
import { openDiskKey } from '../src/kms/disk-keys.ts'
import { Secret } from '../src/lib/secret.ts'
import { endProcess, listMachineProcesses } from '../src/qemu/machine-process.ts'
import { cipherUnder } from '../src/volumes/disk-keys.ts'
import { Vpc } from '../src/vpc/vpc.ts'
import type { Death, FromChild, ToChild } from './server-child.ts'
import { accountId, type ClientSettings, region } from './system.ts'

export class KillableServer {
  readonly dataFolder: string
  readonly logFile: string
  #child: ChildProcess | undefined
  #exit: Promise<unknown> = Promise.resolve()
  #client: EC2Client | undefined
  #access: Extract<FromChild, { endpoint: string }> | undefined

  private constructor(dataFolder: string) {
    this.dataFolder = dataFolder
    this.logFile = `${dataFolder}.log`
  }

  /** A server that is not started yet, and gone with all that it made after the test. */
  static async make(context: Pick<TestContext, 'after'>, given?: string): Promise<KillableServer> {
    const dataFolder = given ?? (await mkdtemp(join(tmpdir(), 'imago-crash-')))
    const server = new KillableServer(dataFolder)
    context.after(async () => {
      await server.kill()
      await endAll(dataFolder)
      if (!given) await rm(dataFolder, { recursive: true, force: true })
      await rm(server.logFile, { force: true })
    })
    return server
  }

  /** Starts it; with a `death`, it may not live until it answers, which is told. */
  async start(options: { death?: Death; env?: Record<string, string> } = {}): Promise<boolean> {
    await this.#exit
    const script = fileURLToPath(new URL('server-child.ts', import.meta.url))
    const args = options.death ? [JSON.stringify(options.death)] : []
    await mkdir(this.dataFolder, { recursive: true })
    const child = fork(script, args, {
      env: {
        PATH: process.env['PATH'],
        IMAGO_DATA: this.dataFolder,
        IMAGO_LISTEN: '127.0.0.1:0',
        IMAGO_ACCEL: 'tcg',
        IMAGO_REGIONS: region,
        IMAGO_ACCOUNT_ID: accountId,
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const log = createWriteStream(this.logFile, { flags: 'a' })
    child.stdout?.pipe(log)
    child.stderr?.pipe(log)
    this.#child = child
    const exit = once(child, 'exit')
    this.#exit = exit
    const first = await Promise.race([once(child, 'message'), exit.then(() => undefined)])
    const message = first?.[0] as FromChild | undefined
    if (!message || !('endpoint' in message)) return false
    this.#access = message
    this.#client?.destroy()
    this.#client = new EC2Client(this.settings)
    return true
  }

  get ec2(): EC2Client {
    assert(this.#client, 'the server was never up')
    return this.#client
  }

  /** What clients of other services are made with. */
  get settings(): ClientSettings {
    const access = this.#access
    assert(access, 'the server was never up')
    return {
      endpoint: access.endpoint,
      region,
      maxAttempts: 1,
      credentials: { accessKeyId: access.id, secretAccessKey: access.secret },
    }
  }

  get isUp(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null
  }

  /** A call of the service's own API. */
  async imago(method: 'GET' | 'POST', path: string, body?: object): Promise<Fields> {
    const access = this.#access
    assert(access)
    const key = { id: access.id, secret: new Secret(access.secret) }
    return await callImago({ endpoint: access.endpoint, region, key }, method, path, body)
  }

  dieAt(death: Death): void {
    this.#send({ dieAt: death })
  }

  /** The points passed since the last time, with how often. */
  async countPoints(): Promise<ReadonlyMap<string, number>> {
    assert(this.#child)
    const answer = once(this.#child, 'message')
    this.#send('count')
    const [{ points }] = (await answer) as [Extract<FromChild, { points: object }>]
    return new Map(Object.entries(points))
  }

  async kill(): Promise<void> {
    if (this.isUp) this.#child?.kill('SIGKILL')
    await this.#exit
    this.#client?.destroy()
  }

  /** Ends it in good order. */
  async close(): Promise<void> {
    if (this.isUp) this.#send('close')
    await this.#exit
  }

  async died(): Promise<void> {
    await this.#exit
  }

  /** What the checker finds; the service may be at work. */
  async check(): Promise<readonly Finding[]> {
    const db = openSqlite(join(this.dataFolder, 'imago.db'))
    const blockStore = await this.openBlocks()
    try {
      const { dataFolder } = this
      const masterKey = await this.#masterKey()
      return await Array.fromAsync(
        checkInstallation({ db: db.reads, blockStore, dataFolder, masterKey }),
      )
    } finally {
      await blockStore.close()
      await db.close()
    }
  }

  /** What a disk is under that is encrypted. */
  async openCipher(keyArn: string): Promise<BlockCipher | undefined> {
    const db = openSqlite(join(this.dataFolder, 'imago.db'))
    try {
      const masterKey = await this.#masterKey()
      assert(masterKey)
      return await cipherUnder(keyArn, (arn) => openDiskKey(db.reads, arn, masterKey))
    } finally {
      await db.close()
    }
  }

  async #masterKey() {
    return await readMasterKey({ path: join(this.dataFolder, 'master-key'), randomBytes })
  }

  /** The block store as it is now, to read. */
  async openBlocks(): Promise<BlockStore> {
    return await BlockStore.open({
      folder: join(this.dataFolder, 'blocks'),
      now: () => new Date(),
      graceMs: 0,
      workers: 0,
      readOnly: true,
    })
  }

  /** The process ids of the machines that run, by instance. */
  async machines(): Promise<ReadonlyMap<string, number>> {
    const found = await listMachineProcesses(join(this.dataFolder, 'run'))
    return new Map(found.map(({ name, pid }) => [name, pid]))
  }

  /** Waits until `is` gives something, and gives that; not longer than the server lives. */
  async until<T>(what: string, is: () => Promise<T | undefined | false>): Promise<T> {
    for (let tries = 0; tries < 800; tries++) {
      const found = await is()
      if (found !== undefined && found !== false) return found
      if (!this.isUp) throw new Error(`the server is gone, and with it: ${what}`)
      await wait(50)
    }
    throw new Error(`it did not come: ${what}`)
  }

  /** The last of what it complained of. */
  async complaints(): Promise<string> {
    return (await readFile(this.logFile, 'utf8').catch(() => '')).slice(-4000)
  }

  #send(message: ToChild): void {
    if (this.#child?.connected) this.#child.send(message)
  }
}

/** Ends the machines and networks that a data folder has left running. */
export async function endAll(dataFolder: string): Promise<void> {
  const run = join(dataFolder, 'run')
  for (const name of await readdir(run).catch(() => [])) {
    if (name.startsWith('i-')) await endProcess(join(run, name))
    else await new Vpc(join(run, name)).destroy()
  }
}
