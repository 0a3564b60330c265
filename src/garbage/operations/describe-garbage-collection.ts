import { findSetting } from '../../settings/store.ts'
import type { Extension } from '../../wire/extension.ts'
import { parseCollection } from '../garbage.ts'

/** What the last garbage collection did; an empty answer where there was none yet. */
export const describeGarbageCollection: Extension = {
  kind: 'read',
  action: 'DescribeGarbageCollection',
  method: 'GET',
  path: '/imago/v1/garbage-collections',
  async run(call) {
    const done = await findSetting(call.db, 'garbage-done')
    return done === undefined ? {} : parseCollection(done)
  },
}
