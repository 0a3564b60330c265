/** The first part of a connection: the client asks for an export by its name, and is told how large it is. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import type { ByteReader } from './byte-reader.ts'
import {
  clientFlags,
  type Export,
  greeting,
  infos,
  optionMagic,
  optionReplies,
  optionReplyMagic,
  options,
  preferredBytes,
  requestBytesMax,
  transmissionFlags,
} from './protocol.ts'

/** An option and its data are short; what is longer is none that we know. */
const optionBytesMax = 8192
const optionsMax = 64

export interface Connection {
  readonly socket: Socket
  readonly reader: ByteReader
}

/** The export that the client has chosen; nothing where it went away, or does not speak the protocol. */
export async function negotiate(
  { socket, reader }: Connection,
  open: (name: string) => Promise<Export | undefined>,
): Promise<Export | undefined> {
  socket.write(greeting)
  const flags = (await reader.take(4))?.readUInt32BE()
  const known = clientFlags.fixedNewstyle | clientFlags.noZeroes
  if (flags === undefined || (flags & ~known) !== 0) return undefined
  const hasZeroes = (flags & clientFlags.noZeroes) === 0
  for (let count = 0; count < optionsMax; count++) {
    const head = await reader.take(16)
    if (!head?.subarray(0, 8).equals(optionMagic)) return undefined
    const option = head.readUInt32BE(8)
    const length = head.readUInt32BE(12)
    const data = length <= optionBytesMax ? await reader.take(length) : undefined
    if (!data) return undefined
    if (option === options.abort) {
      reply(socket, option, optionReplies.ack)
      return undefined
    }
    if (option === options.exportName) {
      const found = await open(data.toString())
      if (found) socket.write(Buffer.concat([sizeOf(found), Buffer.alloc(hasZeroes ? 124 : 0)]))
      return found
    }
    if (option !== options.go && option !== options.info) {
      // Who may know of an export knows its name.
      reply(socket, option, option === options.list ? optionReplies.ack : optionReplies.unsupported)
      continue
    }
    const name = nameIn(data)
    if (name === undefined) {
      reply(socket, option, optionReplies.invalid)
      continue
    }
    const found = await open(name)
    if (!found) {
      reply(socket, option, optionReplies.unknown, Buffer.from('there is no such export'))
      continue
    }
    reply(socket, option, optionReplies.info, Buffer.concat([word(infos.export), sizeOf(found)]))
    reply(socket, option, optionReplies.info, blockSizes())
    reply(socket, option, optionReplies.ack)
    if (option === options.go) return found
  }
  return undefined
}

/** The name in the data of a wish for an export; nothing where that is malformed. */
function nameIn(data: Buffer): string | undefined {
  if (data.length < 6) return undefined
  const length = data.readUInt32BE()
  if (length > data.length - 6) return undefined
  const wishes = data.readUInt16BE(4 + length)
  return data.length === 6 + length + 2 * wishes ? data.toString('utf8', 4, 4 + length) : undefined
}

function sizeOf({ sizeBytes }: Export): Buffer {
  assert(Number.isSafeInteger(sizeBytes))
  const size = Buffer.alloc(10)
  size.writeBigUInt64BE(BigInt(sizeBytes))
  size.writeUInt16BE(transmissionFlags, 8)
  return size
}

function blockSizes(): Buffer {
  const sizes = Buffer.alloc(14)
  sizes.writeUInt16BE(infos.blockSize)
  sizes.writeUInt32BE(1, 2)
  sizes.writeUInt32BE(preferredBytes, 6)
  sizes.writeUInt32BE(requestBytesMax, 10)
  return sizes
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

function reply(socket: Socket, option: number, type: number, data: Buffer = Buffer.alloc(0)): void {
  const head = Buffer.alloc(20)
  optionReplyMagic.copy(head)
  head.writeUInt32BE(option, 8)
  head.writeUInt32BE(type, 12)
  head.writeUInt32BE(data.length, 16)
  socket.write(Buffer.concat([head, data]))
}
