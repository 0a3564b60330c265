/**
 * The service as a process of its own, for benches: on the data folder that is
 * given, without a starter image, on any free port. Tells its parent where it
 * listens and with which key. When the parent asks it to, or is gone, it ends,
 * and with it the machines that it would have left running.
 */
import { readdir } from 'node:fs/promises'
import { enableCompileCache } from 'node:module'
import { join, resolve } from 'node:path'

// As the command `imago` has it; so what it runs is loaded after.
enableCompileCache(resolve(import.meta.dirname, '..', 'node_modules', '.cache', 'imago'))
const { readConfig } = await import('../src/config.ts')
const { openImago } = await import('../src/main.ts')
const { endProcess } = await import('../src/qemu/machine-process.ts')
const { Vpc } = await import('../src/vpc/vpc.ts')

const [dataFolder = ''] = process.argv.slice(2)
const config = readConfig({
  IMAGO_CALLS_PER_SECOND: process.env['IMAGO_CALLS_PER_SECOND'],
  IMAGO_DATA: dataFolder,
  IMAGO_LISTEN: '127.0.0.1:0',
})
const warn = (message: string, fields?: unknown) => console.error(message, fields)
const log = { info: () => {}, warn, error: warn }

const imago = await openImago({ config, log, hasNoStarter: true })
const { endpoint, rootKey, accelerator } = imago
let ending: Promise<void> | undefined
process.on('disconnect', () => void (ending ??= end()))
process.on('SIGTERM', () => void (ending ??= end()))
// From a terminal, the signal reaches the whole group; the parent is gone then.
process.on('SIGINT', () => void (ending ??= end()))
process.send?.({
  endpoint,
  keyId: rootKey.id,
  secret: rootKey.secret.reveal(),
  accelerator: accelerator.accelerator,
})

async function end(): Promise<void> {
  await imago.close()
  const runFolder = join(config.dataFolder, 'run')
  for (const name of await readdir(runFolder).catch(() => [])) {
    if (name.startsWith('i-')) await endProcess(join(runFolder, name))
    if (name.startsWith('vpc-')) await new Vpc(join(runFolder, name)).destroy()
  }
  process.exit(0)
}
