/**
 * The secrets of encrypted disks in a running QEMU. It needs them while it opens files,
 * and not after: so none stays, and a machine that is found again is asked for none.
 */
import { secretsOfDisk } from './block-nodes.ts'
import type { DiskKeys } from './luks.ts'
import { type Qmp, QmpRefusal } from './qmp.ts'

/** Does what opens files of the disk, while QEMU has its secrets. */
export async function withSecrets(
  qmp: Qmp,
  { diskId, keys }: { readonly diskId: string; readonly keys?: DiskKeys | undefined },
  work: () => Promise<void>,
): Promise<void> {
  const secrets = secretsOfDisk(diskId, keys)
  const ids = secrets.map(({ id }) => id)
  // Left there by somebody who was cut off.
  await forgetSecrets(qmp, ids)
  try {
    for (const { id, secret } of secrets) {
      await qmp.run('object-add', { 'qom-type': 'secret', id, data: secret.reveal() })
    }
    await work()
  } finally {
    if (!qmp.isClosed) await forgetSecrets(qmp, ids)
  }
}

export async function forgetSecrets(qmp: Qmp, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await qmp.run('object-del', { id }).catch((error: unknown) => {
      // It is not there.
      if (!(error instanceof QmpRefusal)) throw error
    })
  }
}
