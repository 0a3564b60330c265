/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html */
import type { ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse } from '@aws-sdk/client-kms'
import { writeOperation } from '../../wire/operation.ts'
import { onKey, requireKeyById } from '../find.ts'
import { checkNotPending, constraint, deletionDate, deletionDays, keyArn } from '../key.ts'
import { moveKey } from '../move.ts'
import { stateNames } from '../view.ts'

export const scheduleKeyDeletion = writeOperation<
  ScheduleKeyDeletionRequest,
  ScheduleKeyDeletionResponse
>({
  service: 'kms',
  action: 'ScheduleKeyDeletion',
  demands: (input, context) => onKey('ScheduleKeyDeletion', input.KeyId, { ...context, input }),

  async run(call) {
    const { input, tx, now } = call
    const { PendingWindowInDays = deletionDays.max } = input
    const { min, max } = deletionDays
    if (PendingWindowInDays < min || PendingWindowInDays > max) {
      const bound =
        PendingWindowInDays < min
          ? `greater than or equal to ${min}`
          : `less than or equal to ${max}`
      throw constraint('pendingWindowInDays', `have value ${bound}`, PendingWindowInDays)
    }
    const key = checkNotPending(await requireKeyById(tx, call, 'ScheduleKeyDeletion', input.KeyId))
    const deletesAt = deletionDate(now, PendingWindowInDays)
    const state = 'pending-deletion'
    await moveKey(tx, key, { state, deletesAt })
    return {
      KeyId: keyArn(key),
      DeletionDate: deletesAt,
      KeyState: stateNames[state],
      PendingWindowInDays,
    }
  },
})
