/** The service's log: a line of JSON an event, in a file that is its owner's alone. */
import pino from 'pino'
import type { Log } from '../lib/log.ts'

/** How much is kept that could not be written. */
const keptBytesMax = 2 ** 20

export function openLog(path: string): Log {
  const destination = pino.destination({
    dest: path,
    append: true,
    mode: 0o600,
    sync: true,
    maxLength: keptBytesMax,
  })
  // A full disk is no reason to end: what could not be written is, as soon as there is room.
  destination.on('error', () => {})
  const logger = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: { error: pino.stdSerializers.err },
    },
    destination,
  )
  return {
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
  }
}
