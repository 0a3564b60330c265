/**
 * Talks to the agent inside the guest, if there is one. Whether anybody listens
 * shows only in whether they answer, so everything has a time limit; a question
 * that ran into it may still be carried out later.
 * https://www.qemu.org/docs/master/interop/qemu-ga-ref.html
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

export type AgentCommand = 'guest-ping' | 'guest-fsfreeze-freeze' | 'guest-fsfreeze-thaw'

/** No answer in time: no agent runs, or it is busy. */
export class AgentSilent extends Error {
  override readonly name = 'AgentSilent'
}

export class AgentRefusal extends Error {
  override readonly name = 'AgentRefusal'
}

type Answer = { return: unknown } | { error: { desc: string } }

const answerCharactersMax = 64 * 1024

/** Gives the command and returns the answer. `token` must differ from one call to the next. */
export async function askAgent(
  path: string,
  command: AgentCommand,
  { timeoutMs, token }: { readonly timeoutMs: number; readonly token: number },
): Promise<unknown> {
  const socket = connect({ path })
  const timer = setTimeout(() => {
    socket.destroy(new AgentSilent(`${command}: no answer in ${timeoutMs} ms`))
  }, timeoutMs)
  const failed = once(socket, 'close').then(() => {
    throw new AgentSilent(`${command}: the machine closed the channel`)
  })
  try {
    return await Promise.race([converse(socket, command, token), failed])
  } finally {
    clearTimeout(timer)
    failed.catch(() => {})
    socket.destroy()
  }
}

/** What earlier, abandoned questions were answered is dropped until our token comes back. */
async function converse(socket: Socket, command: AgentCommand, token: number): Promise<unknown> {
  await once(socket, 'connect')
  // The byte 255 ends what an earlier question may have left half said.
  socket.write(Buffer.of(255))
  socket.write(`${JSON.stringify({ execute: 'guest-sync', arguments: { id: token } })}\n`)
  let received = 0
  socket.on('data', (bytes: Buffer) => {
    received += bytes.length
    if (received > answerCharactersMax) socket.destroy(new AgentSilent(`${command}: a flood`))
  })
  let isInStep = false
  for await (const line of createInterface({ input: socket })) {
    const answer = parse(line)
    if (!answer) continue
    if (isInStep) {
      if ('error' in answer) throw new AgentRefusal(`${command}: ${answer.error.desc}`)
      return answer.return
    }
    if ('return' in answer && answer.return === token) {
      isInStep = true
      socket.write(`${JSON.stringify({ execute: command })}\n`)
    }
  }
  throw new AgentSilent(`${command}: the machine closed the channel`)
}

/** The guest is not to be trusted: what is no answer is no answer. */
function parse(line: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null) return undefined
    if ('return' in value) return { return: value.return }
    return 'error' in value ? { error: { desc: JSON.stringify(value.error) } } : undefined
  } catch {
    return undefined
  }
}
