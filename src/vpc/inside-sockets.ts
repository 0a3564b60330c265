/**
 * Listens at the addresses inside a namespace that are served by this process. A
 * short-lived child opens the sockets there and hands them over; connections are then
 * accepted here, and `remoteAddress` is the address of the guest.
 */
import { spawn } from 'node:child_process'
import { Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import { toolEnvironment } from './run.ts'
import { apiAddress, metadataAddress } from './spec.ts'

export interface InsideSockets {
  readonly metadata: Server
  readonly api: Server
}

/** Listens at port 80 of both. @throws when the child cannot, with what it said. */
export function listenInside(enter: readonly string[]): Promise<InsideSockets> {
  const [program = '', ...args] = enter
  const script = fileURLToPath(new URL('inside-child.ts', import.meta.url))
  const addresses = [metadataAddress, apiAddress]
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, process.execPath, script, ...addresses], {
      stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
      env: toolEnvironment,
    })
    const said: Buffer[] = []
    const opened = new Map<unknown, Server>()
    child.stderr?.on('data', (chunk: Buffer) => said.push(chunk))
    child.on('message', (address, handle) => {
      if (handle instanceof Server) opened.set(address, handle)
      if (opened.size === addresses.length) child.kill()
    })
    child.on('error', reject)
    child.on('close', (code) => {
      const metadata = opened.get(metadataAddress)
      const api = opened.get(apiAddress)
      if (metadata && api) return resolve({ metadata, api })
      for (const server of opened.values()) server.close()
      return reject(new Error(`listen inside: ${code}: ${Buffer.concat(said).toString()}`))
    })
  })
}
