/**
 * Brings in the disks of import tasks, two tasks at once. What was cut off begins
 * anew; who cancels a task ends the work. Content before rows: a task names what it
 * made in the transaction that makes it.
 */
import { transaction } from '../db/database.ts'
import { CannotImport } from '../imports/obtain-disk.ts'
import { removeLeftovers } from '../imports/work-folder.ts'
import { isKeyUnusable } from '../kms/key-trouble.ts'
import { ApiError } from '../lib/errors.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { reasonOf } from '../lib/reason-of.ts'
import { deleteTagsOf } from '../tags/store.ts'
import { bringIn, type BringInDependencies } from './bring-in.ts'
import { type ImportTaskId, listedForMs } from './import-task.ts'
import { TaskProgress } from './progress.ts'
import { changeTask, deleteTask, findTask, listForgettableIds, listTasksUnderWay } from './store.ts'

const tasksAtOnce = 2

export function importTaskReconciler(deps: BringInDependencies): Reconciler<ImportTaskId> {
  const { db, workFolder, now, signal } = deps
  const busy = new Set<ImportTaskId>()
  let isTidy = false

  const end = async (id: ImportTaskId, from: 'active' | 'deleting', message?: string) => {
    const change = { from, to: 'deleted', endedAt: now(), ...(message && { message }) } as const
    await transaction(db.writes, (tx) => changeTask(tx, id, change))
  }
  return {
    name: 'import-tasks',
    stepsAtOnceMax: 8,

    async due() {
      const tasks = await listTasksUnderWay(db.reads)
      const all = tasks.map(({ id }) => id)
      if (!isTidy) await removeLeftovers(workFolder, all)
      isTidy = true
      const cancelled = tasks.filter(({ state }) => state === 'deleting').map(({ id }) => id)
      const waiting = all.filter((id) => !cancelled.includes(id) && !busy.has(id))
      const begun = waiting.slice(0, Math.max(0, tasksAtOnce - busy.size))
      return [...cancelled, ...begun, ...(await listForgettableIds(db.reads, now()))]
    },

    async step(id) {
      const task = await findTask(db.writes, id)
      if (task?.state === 'deleting') await end(id, 'deleting')
      else if (task?.endedAt && task.endedAt.getTime() + listedForMs <= now().getTime()) {
        await transaction(db.writes, async (tx) => {
          await deleteTagsOf(tx, id)
          await deleteTask(tx, id)
        })
      } else if (task?.state === 'active') {
        busy.add(id)
        const progress = new TaskProgress(db, task)
        try {
          await bringIn(task, deps, progress)
        } catch (error) {
          if (signal.aborted) return 'waiting'
          // Somebody has cancelled it: the next step says so.
          if (progress.isCancelled) return 'moved'
          if (error instanceof CannotImport || error instanceof ApiError) {
            await end(id, 'active', `ClientError: Disk validation failed [${error.message}]`)
          } else if (isKeyUnusable(error))
            await end(id, 'active', `ClientError: ${reasonOf(error)}`)
          else throw error
        } finally {
          await progress.close()
          busy.delete(id)
        }
      } else return 'waiting'
      return 'moved'
    },

    async giveUp(id, error) {
      await end(id, 'active', `ServerError: ${reasonOf(error)}`)
    },
  }
}
