/**
 * Public addresses: loopback addresses of the host. As on EC2, one that is given
 * automatically belongs to an instance only until that is stopped; the next start
 * gives it another. That it gets one was decided by its launch, and stays so.
 */
import type { Tx } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import type { WriteCall } from '../wire/operation.ts'
import { numberOfAddress, textOfAddress } from './address.ts'
import { listInterfaces, listPublicIps, setPublicIp } from './interface-store.ts'

/** From 127.10.0.5 on. */
const range = { first: '127.10.0.5', last: '127.10.255.254' }

/**
 * Finds an address that nobody has. Where it begins to look is for the caller to
 * say, because other installations on this host give out addresses of the same
 * range, and know nothing of ours.
 */
export async function takePublicIp(tx: Tx, start: number): Promise<string> {
  const used = await listPublicIps(tx)
  const first = numberOfAddress(range.first)
  const count = numberOfAddress(range.last) - first + 1
  for (let tries = 0; tries < count; tries++) {
    const text = textOfAddress(first + ((start + tries) % count))
    // Some tools take an address that ends in .0 or .255 for a network's.
    if (!/\.(?:0|255)$/.test(text) && !used.has(text)) return text
  }
  throw new ApiError('ResourceLimitExceeded', 'There are no free public addresses left.')
}

/** Gives an instance that starts again its new addresses. */
export async function assignPublicIps(
  { tx, randomBytes }: Pick<WriteCall<unknown>, 'tx' | 'randomBytes'>,
  instanceId: Id<'instance'>,
): Promise<void> {
  for (const { id, assignsPublicIp, publicIp } of await listInterfaces(tx, {
    instanceIds: [instanceId],
  })) {
    if (!assignsPublicIp || publicIp !== undefined) continue
    const start = Buffer.from(randomBytes(4)).readUInt32BE()
    await setPublicIp(tx, id, await takePublicIp(tx, start))
  }
}

/** Takes the addresses of an instance back when it is stopped. */
export async function releasePublicIps(tx: Tx, instanceId: Id<'instance'>): Promise<void> {
  for (const { id } of await listInterfaces(tx, { instanceIds: [instanceId] })) {
    await setPublicIp(tx, id, undefined)
  }
}
