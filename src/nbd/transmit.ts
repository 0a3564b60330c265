/**
 * The second part of a connection: requests, answered as they are ready, by their handles. A client that
 * sends more than it reads answers of is read no further, so that it takes no more memory than its share.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Connection } from './negotiate.ts'
import {
  commands,
  errors,
  type Export,
  replyMagic,
  requestBytesMax,
  requestMagic,
} from './protocol.ts'

const requestHeadBytes = 28
const requestsAtOnceMax = 16
/** Beyond this nothing new is begun. */
const bytesAtOnceMax = 4 * 1024 ** 2

/** Answers until the client goes, says that it will, or breaks the protocol. Throws what a read throws. */
export async function transmit({ socket, reader }: Connection, disk: Export): Promise<void> {
  const underWay = new Set<Promise<void>>()
  let bytesUnderWay = 0
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {})
  for (;;) {
    const head = await Promise.race([reader.take(requestHeadBytes), failed.promise])
    if (head?.readUInt32BE() !== requestMagic) break
    const command = head.readUInt16BE(6)
    // What it would have us write comes behind; a client that keeps to our flags never sends it.
    if (command === commands.disconnect || command === commands.write) break
    const bytes = command === commands.read ? Math.min(head.readUInt32BE(24), requestBytesMax) : 0
    bytesUnderWay += bytes
    const answering = answer(socket, disk, head)
      .catch(failed.reject)
      .finally(() => {
        underWay.delete(answering)
        bytesUnderWay -= bytes
      })
    underWay.add(answering)
    while (underWay.size >= requestsAtOnceMax || bytesUnderWay >= bytesAtOnceMax) {
      await Promise.race(underWay)
    }
  }
  await Promise.race([Promise.all(underWay), failed.promise])
}

async function answer(socket: Socket, disk: Export, head: Buffer): Promise<void> {
  const handle = head.subarray(8, 16)
  const offset = head.readBigUInt64BE(16)
  const length = head.readUInt32BE(24)
  const command = head.readUInt16BE(6)
  if (command === commands.flush) return await send(socket, handle, errors.none)
  if (command !== commands.read) return await send(socket, handle, errors.notPermitted)
  const isWithin = offset + BigInt(length) <= BigInt(disk.sizeBytes)
  if (!isWithin || length > requestBytesMax) return await send(socket, handle, errors.invalid)
  const bytes = await disk.read(Number(offset), length)
  await send(socket, handle, bytes ? errors.none : errors.inputOutput, bytes)
}

/** When it resolves, the client has taken so much that more may be sent. */
async function send(
  socket: Socket,
  handle: Buffer,
  error: number,
  pieces: readonly Uint8Array[] = [],
): Promise<void> {
  if (socket.destroyed) return
  const head = Buffer.alloc(16)
  head.writeUInt32BE(replyMagic)
  head.writeUInt32BE(error, 4)
  handle.copy(head, 8)
  socket.cork()
  let hasRoom = socket.write(head)
  for (const piece of pieces) hasRoom = socket.write(piece)
  socket.uncork()
  if (hasRoom) return
  const stop = new AbortController()
  const { signal } = stop
  await Promise.race([
    once(socket, 'drain', { signal }),
    once(socket, 'close', { signal }),
  ]).finally(() => stop.abort())
}
