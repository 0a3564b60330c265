/**
 * Listens at 169.254.169.254:80 inside a namespace on behalf of this process. A
 * short-lived child opens the socket there and hands it over; connections are then
 * accepted here, and `remoteAddress` is the address of the guest.
 */
import { spawn } from 'node:child_process'
import { Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import { toolEnvironment } from './run.ts'

/** @throws when the child cannot listen, with what it said. */
export function listenInside(enter: readonly string[]): Promise<Server> {
  const [program = '', ...args] = enter
  const script = fileURLToPath(new URL('metadata-child.ts', import.meta.url))
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, process.execPath, script], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: toolEnvironment,
    })
    const said: Buffer[] = []
    let server: Server | undefined
    child.stderr?.on('data', (chunk: Buffer) => said.push(chunk))
    child.on('message', (_, handle) => {
      if (handle instanceof Server) server = handle
      child.kill()
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (server !== undefined) return resolve(server)
      return reject(new Error(`listen for metadata: ${code}: ${Buffer.concat(said).toString()}`))
    })
  })
}
