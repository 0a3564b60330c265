/** A task that will not come to its end: its new volume is let go of, or goes. */
import type { Tx } from '../db/database.ts'
import { reasonOf } from '../lib/reason-of.ts'
import { changeVolumeState, findAttachment } from '../volumes/store.ts'
import type { Replacement, ReplacementId } from './replacement.ts'
import { changeReplacement } from './store.ts'

/** A replacement could not be made so. Whoever gives up on it says so by `failReplacement`. */
export class ReplacementFailed extends Error {
  readonly taskId: ReplacementId

  constructor(taskId: ReplacementId, cause: unknown) {
    super(reasonOf(cause), { cause })
    this.name = 'ReplacementFailed'
    this.taskId = taskId
  }
}

export async function failReplacement(
  tx: Tx,
  task: Replacement,
  { message, at }: { readonly message: string; readonly at: Date },
): Promise<void> {
  const state = task.isSwapped ? 'failed-detached' : 'failed'
  if (!(await changeReplacement(tx, task, { state, message, endedAt: at }))) return
  const id = task.newVolumeId
  if (await findAttachment(tx, id)) return
  if (task.isVolumeGiven) await changeVolumeState(tx, { id, from: 'in-use', to: 'available' })
  else {
    const from = ['creating', 'available', 'in-use', 'error'] as const
    await changeVolumeState(tx, { id, from, to: 'deleting' })
  }
}
