/** The log of a service whose disk is full. */
import { test } from 'node:test'
import { openLog } from './log-file.ts'

test('what cannot be written to the log ends nothing', () => {
  const log = openLog('/dev/full')
  for (let line = 0; line < 3; line++) log.error('a line', { error: new Error('of a test') })
})
