/**
 * Merges frozen layers of a running machine's disk into the lowest, as a job of
 * QEMU. Cut off anywhere, it is asked for again: the job that is left is ended, and
 * what there is to do shows in which layers are still in use.
 */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { nodeOfLayer, nodesOfLayer, parseNode } from './block-nodes.ts'
import { presentNodes, removeNodes, topLayers } from './disks.ts'
import { chainOf, removeMergedLayers } from './layers.ts'
import { type Qmp, QmpRefusal } from './qmp.ts'
import type { JobInfo } from './qmp-commands.ts'

export interface Merge {
  readonly diskId: string
  readonly folder: string
  /** The highest layer to be merged, a frozen one. The lowest receives it and all between. */
  readonly upTo: number
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void
  /** Leaves the chain as it was, and throws. */
  readonly signal?: AbortSignal
}

export class MergeFailed extends Error {
  override readonly name = 'MergeFailed'
}

const progressMs = 200
const jobPrefix = 'merge-'

/**
 * Ends what is left of merges that another process of ours began: while there is such a job, done or
 * not, QEMU refuses to freeze, grow or let go of the disk. Who wants the merge begins it anew.
 */
export async function endMerges(qmp: Qmp): Promise<void> {
  for (const { id } of await qmp.run('query-jobs', undefined)) {
    if (id.startsWith(jobPrefix)) await finishJob(qmp, id, { signal: AbortSignal.abort() })
  }
}

/** Leaves one layer of those up to that one, and removes the files of the others. */
export async function merge(qmp: Qmp, options: Merge): Promise<void> {
  await emptyLayers(qmp, options)
  await removeMergedLayers(options.folder)
}

async function emptyLayers(qmp: Qmp, options: Merge): Promise<void> {
  const { diskId, folder, upTo, signal } = options
  const jobId = `${jobPrefix}${diskId}`
  await finishJob(qmp, jobId, options)
  signal?.throwIfAborted()
  const top = (await topLayers(qmp)).get(diskId)
  assert(top !== undefined, `the machine has no disk ${diskId}`)
  assert(upTo < top, `${diskId}: layer ${upTo} is not frozen`)
  const into = (await chainOf(folder, top)).layers.at(-1)?.layer
  assert(into !== undefined)
  const emptied = (await presentNodes(qmp, diskId))
    .map(parseNode)
    .filter((node) => node !== undefined)
    .map(({ layer }) => layer)
    .filter((layer) => into < layer && layer <= upTo)
  const [highest] = emptied
  if (highest === undefined) return
  if (await isInUse(qmp, nodeOfLayer(diskId, highest))) {
    await qmp.run('block-commit', {
      'job-id': jobId,
      device: nodeOfLayer(diskId, top),
      'top-node': nodeOfLayer(diskId, highest),
      'base-node': nodeOfLayer(diskId, into),
      'backing-file': `./${into}.qcow2`,
      'auto-dismiss': false,
    })
    const { error } = (await finishJob(qmp, jobId, options)) ?? {}
    signal?.throwIfAborted()
    if (error !== undefined) throw new MergeFailed(`${diskId}: ${error}`)
  }
  const present = await presentNodes(qmp, diskId)
  const unwanted = emptied.flatMap((layer) => nodesOfLayer(diskId, layer))
  await removeNodes(
    qmp,
    unwanted.filter((name) => present.includes(name)),
  )
}

/** A node that another rests on is refused to be removed; one that a merge has emptied is not. */
async function isInUse(qmp: Qmp, name: string): Promise<boolean> {
  try {
    await removeNodes(qmp, [name])
    return false
  } catch (error) {
    if (error instanceof QmpRefusal && /is busy|in use/.test(error.description)) return true
    throw error
  }
}

/** Waits for the job's end, if there is one, and removes it from QEMU's list. */
async function finishJob(
  qmp: Qmp,
  jobId: string,
  { onProgress, signal }: Pick<Merge, 'onProgress' | 'signal'>,
): Promise<JobInfo | undefined> {
  const ended = Promise.withResolvers<void>()
  const unlisten = qmp.listen({
    event: ({ event, data }) => {
      if (event !== 'JOB_STATUS_CHANGE') return
      const change = data as { id: string; status: string }
      if (change.id === jobId && change.status === 'concluded') ended.resolve()
    },
    closed: () => ended.resolve(),
  })
  let isCancelled = false
  try {
    for (;;) {
      const job = (await qmp.run('query-jobs', undefined)).find(({ id }) => id === jobId)
      if (job) onProgress?.(job['current-progress'], job['total-progress'])
      if (!job) return undefined
      if (job.status === 'concluded') {
        await qmp.run('job-dismiss', { id: jobId })
        return job
      }
      if (signal?.aborted && !isCancelled) {
        isCancelled = true
        await qmp.run('job-cancel', { id: jobId })
      }
      await Promise.race([ended.promise, wait(progressMs)])
    }
  } finally {
    unlisten()
  }
}
