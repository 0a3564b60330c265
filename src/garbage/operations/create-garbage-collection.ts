import { findSetting, putSetting } from '../../settings/store.ts'
import type { Extension } from '../../wire/extension.ts'

/** Asks for a garbage collection now. They come by themselves too, every few minutes. */
export const createGarbageCollection: Extension = {
  kind: 'write',
  action: 'CreateGarbageCollection',
  method: 'POST',
  path: '/imago/v1/garbage-collections',
  async run(call) {
    const number = Number((await findSetting(call.tx, 'garbage-wanted')) ?? 0) + 1
    await putSetting(call.tx, 'garbage-wanted', String(number))
    return { number }
  },
}
