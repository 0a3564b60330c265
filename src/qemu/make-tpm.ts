/**
 * Makes a machine's TPM: its state, and beside that the public halves of its
 * endorsement keys, for nobody but QEMU talks to it from then on. The folder is
 * there whole or not at all.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { toolEnvironment } from '../vpc/run.ts'
import { renameDurably, sync, temporarySuffix } from './durable-file.ts'
import { machineFiles } from './machine-spec.ts'
import { endorsementKeys, type EndorsementKeyType, sized, u16, u32 } from './tpm-key.ts'

const noSessions = 0x8001
const sessions = 0x8002
const createPrimary = 0x131
const evictControl = 0x120
const flushContext = 0x165
const shutdown = 0x145
const owner = 0x40000001
const endorsement = 0x4000000b
/** TPM_RS_PW, with an empty password. */
const emptyPassword = Buffer.concat([u32(9), u32(0x40000009), Buffer.alloc(5)])
const answerHeadBytes = 10
const answerBytesMax = 4096
const answerMs = 60_000

export function keyFile(type: EndorsementKeyType): string {
  return `ek-${type}.tpmt`
}

/** Makes the TPM of the machine's folder, where it has none yet. */
export async function makeTpm(folder: string, program: string): Promise<void> {
  const place = join(folder, machineFiles.tpm)
  if ((await readdir(folder)).includes(machineFiles.tpm)) return
  const temporary = place + temporarySuffix
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { mode: 0o700 })
  await using log = await open(join(folder, machineFiles.tpmLog), 'a')
  const state = `dir=${machineFiles.tpm}${temporarySuffix},mode=0600`
  // It talks to us alone, and ends when we do.
  const swtpm = spawn(
    program,
    ['socket', '--tpm2', '--tpmstate', state, '--fd', '3', '--terminate'].concat([
      '--flags',
      'not-need-init,startup-clear',
    ]),
    { cwd: folder, stdio: ['ignore', log.fd, log.fd, 'pipe'], env: toolEnvironment },
  )
  const ended = once(swtpm, 'exit').catch(() => {})
  const channel = swtpm.stdio[3] as Duplex
  try {
    for (const key of endorsementKeys) {
      const publicArea = await makeKey(channel, key)
      await writeFile(join(temporary, keyFile(key.type)), publicArea, { mode: 0o600 })
    }
    await ask(channel, noSessions, shutdown, u16(0))
  } finally {
    channel.destroy()
    await ended
  }
  for (const name of await readdir(temporary)) await sync(join(temporary, name))
  await sync(temporary)
  await renameDurably(temporary, place)
}

/** Makes a key, keeps it in the TPM, and tells its public area. */
async function makeKey(
  channel: Duplex,
  { template, handle: place }: (typeof endorsementKeys)[number],
): Promise<Buffer> {
  const sensitive = sized(Buffer.alloc(4))
  const wishes = Buffer.concat([sensitive, sized(template), u16(0), u32(0)])
  const made = await ask(
    channel,
    sessions,
    createPrimary,
    Buffer.concat([u32(endorsement), emptyPassword, wishes]),
  )
  const handle = made.subarray(0, 4)
  const keeping = Buffer.concat([u32(owner), handle, emptyPassword, u32(place)])
  await ask(channel, sessions, evictControl, keeping)
  await ask(channel, noSessions, flushContext, handle)
  // The handle, the size of what follows, and then the public area with its size.
  return made.subarray(10, 10 + made.readUInt16BE(8))
}

async function ask(channel: Duplex, tag: number, command: number, body: Buffer): Promise<Buffer> {
  const size = answerHeadBytes + body.length
  channel.write(Buffer.concat([u16(tag), u32(size), u32(command), body]))
  const signal = AbortSignal.timeout(answerMs)
  let answer = Buffer.alloc(0)
  while (answer.length < answerHeadBytes || answer.length < answer.readUInt32BE(2)) {
    const part = channel.read() as Buffer | null
    if (part) answer = Buffer.concat([answer, part])
    else if (channel.readableEnded || channel.destroyed) throw new Error('the TPM has ended')
    else
      await Promise.race([once(channel, 'readable', { signal }), once(channel, 'end', { signal })])
    if (answer.length > answerBytesMax) throw new Error('the TPM says too much')
  }
  const code = answer.readUInt32BE(6)
  if (code !== 0) throw new Error(`the TPM refuses command ${command}: ${code.toString(16)}`)
  return answer.subarray(answerHeadBytes)
}
