/**
 * Finds where SSH answers at an address, and waits for it. An ordinary user may
 * not listen on port 22, so it can be at 20022. That a connection is taken says
 * nothing (the way to the machine takes it for the machine): its greeting counts.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

const ports = [22, 20_022] as const
const greetingMs = 5_000
const pollMs = 200

/** Answers the port, or nothing where none greets in time. */
export async function waitForSsh(
  address: string,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<number | undefined> {
  const timeout = AbortSignal.timeout(timeoutMs)
  while (!timeout.aborted) {
    for (const port of ports) if (await isGreeted(address, port, timeout)) return port
    await wait(pollMs)
  }
  return undefined
}

async function isGreeted(address: string, port: number, timeout: AbortSignal): Promise<boolean> {
  const signal = AbortSignal.any([timeout, AbortSignal.timeout(greetingMs)])
  const socket = connect({ host: address, port })
  try {
    const [greeting] = (await Promise.race([
      once(socket, 'data', { signal }),
      once(socket, 'close', { signal }).then(() => []),
    ])) as readonly (Buffer | undefined)[]
    return greeting?.toString('latin1').startsWith('SSH-') ?? false
  } catch {
    return false
  } finally {
    socket.on('error', () => {}).destroy()
  }
}
