/**
 * The service as a process of its own, for benches: a fresh or known data folder,
 * no starter image, any free port. Tells its parent where it listens and with
 * which key, and ends when the parent asks it to or is gone.
 */
import { readConfig } from '../src/config.ts'
import { type Imago, openImago } from '../src/main.ts'

const [dataFolder = ''] = process.argv.slice(2)
const config = readConfig({ IMAGO_DATA: dataFolder, IMAGO_LISTEN: '127.0.0.1:0' })
const warn = (message: string, fields?: unknown) => console.error(message, fields)
const log = { info: () => {}, warn, error: warn }

const imago: Imago = await openImago({ config, log, hasNoStarter: true })
const { endpoint, rootKey, accelerator } = imago
process.send?.({
  endpoint,
  keyId: rootKey.id,
  secret: rootKey.secret.reveal(),
  accelerator: accelerator.accelerator,
})
process.on('disconnect', () => void end())
process.on('SIGTERM', () => void end())

async function end(): Promise<void> {
  await imago.close()
  process.exit(0)
}
