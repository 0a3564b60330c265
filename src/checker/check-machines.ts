/**
 * That each QEMU belongs to an instance that should have one, writes the top of
 * the volumes that are attached to it, and no others.
 */
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from '../db/database.ts'
import { type InstanceState, mayHaveMachine, stateCodes } from '../instances/instance.ts'
import { hasHostRoot } from '../instances/instance-store.ts'
import { listByState } from '../instances/store.ts'
import { topLayer } from '../qemu/layers.ts'
import { listMachineProcesses } from '../qemu/machine-process.ts'
import { listAttachments } from '../volumes/store.ts'
import type { Finding } from './finding.ts'

export async function* checkMachines(
  db: Database,
  folders: {
    readonly runFolder: string
    readonly volumesFolder: string
    /** The roots that are no volumes. */
    readonly rootsFolder: string
  },
): AsyncGenerator<Finding> {
  const instances = await listByState(db, Object.keys(stateCodes) as InstanceState[])
  const processes = await listMachineProcesses(folders.runFolder)
  const volumesFolder = await realpath(folders.volumesFolder).catch(() => folders.volumesFolder)
  const byName = Map.groupBy(processes, ({ name }) => name)
  const rootsFolder = await realpath(folders.rootsFolder).catch(() => folders.rootsFolder)
  for (const instance of instances) {
    const { id, state } = instance
    const own = byName.get(id) ?? []
    byName.delete(id)
    if (own.length > 0 && !mayHaveMachine[state]) {
      yield { about: id, what: `is ${state}, and its machine runs: process ${own[0]?.pid}` }
    }
    if (own.length > 1) yield { about: id, what: `has ${own.length} machines` }
    if (state !== 'running') continue
    if (own.length === 0) yield { about: id, what: 'is running, and has no machine' }
    const attachments = await listAttachments(db, { instanceIds: [id] })
    for (const { files } of own) {
      const root = join(rootsFolder, id, '1.qcow2')
      if (hasHostRoot(instance) && !files.includes(root)) {
        yield { about: id, what: 'does not write its root' }
      }
      const layers = files.filter((file) => file.startsWith(volumesFolder))
      for (const { volumeId, state: attachment } of attachments) {
        if (attachment !== 'attached') continue
        const folder = join(volumesFolder, volumeId)
        const top = `${await topLayer(folder).catch(() => 0)}.qcow2`
        if (!layers.includes(join(folder, top))) {
          yield { about: id, what: `does not write ${top} of ${volumeId}` }
        }
      }
      const expected = attachments.map(({ volumeId }) => join(volumesFolder, volumeId))
      for (const file of layers) {
        if (expected.some((folder) => file.startsWith(`${folder}/`))) continue
        yield { about: id, what: `has a volume open that it should not have: ${file}` }
      }
    }
  }
  for (const [name, [process]] of byName) {
    yield { about: name, what: `has a machine, and there is no such instance: ${process?.pid}` }
  }
}
