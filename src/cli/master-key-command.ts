/**
 * The master key from a command of the operator's, so that it need not be in the data
 * folder: the command prints 32 bytes, as they are, in hex or in base64. What it prints
 * goes into no message.
 */
import { execFile } from 'node:child_process'
import { keyBytes } from '../lib/seal.ts'
import { CommandFailed } from './failure.ts'

const timeMsMax = 60_000
const outputBytesMax = 4096

export async function askForMasterKey(command: string): Promise<Uint8Array> {
  const printed = await new Promise<Buffer>((resolve, reject) => {
    const options = { encoding: 'buffer', timeout: timeMsMax, maxBuffer: outputBytesMax } as const
    const child = execFile('/bin/sh', ['-c', command], options, (error, stdout) => {
      // The error's own message would show what was printed.
      if (error)
        reject(new CommandFailed('IMAGO_MASTER_KEY_COMMAND failed: it printed no master key'))
      else resolve(stdout)
    })
    child.stdin?.end()
    child.stderr?.pipe(process.stderr, { end: false })
  })
  const key = parse(printed)
  if (key) return key
  throw new CommandFailed(
    `IMAGO_MASTER_KEY_COMMAND must print ${keyBytes} bytes, as they are, in hex or in base64`,
  )
}

function parse(printed: Buffer): Uint8Array | undefined {
  if (printed.length === keyBytes) return printed
  const text = printed.toString('latin1').trim()
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex')
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return Buffer.from(text, 'base64')
  return undefined
}
