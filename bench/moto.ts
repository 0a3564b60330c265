/** The mock of AWS that people use instead, for a bench: a process of its own, in memory. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { isInstalled, until } from './commands.ts'
import { SignedClient } from './signed-client.ts'

export interface RunningMoto extends AsyncDisposable {
  readonly client: SignedClient
}

/** Starts it, or answers nothing where it is not installed. */
export async function startMoto(): Promise<RunningMoto | undefined> {
  if (!(await isInstalled('moto_server'))) return undefined
  const port = await freePort()
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const client = new SignedClient({
    endpoint: `http://127.0.0.1:${port}`,
    keyId: 'AKIAIOSFODNN7EXAMPLE',
    secret: 'bench',
    region: 'us-east-1',
  })
  const isUp = () => client.ec2('DescribeRegions').catch(() => undefined)
  await until(isUp, { everyMs: 100, withinMs: 60_000 })
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.close()
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
