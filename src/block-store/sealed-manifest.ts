/**
 * The file of a manifest that is encrypted. Its blocks are to be read by everybody, in the
 * order of their names, so that garbage is collected without keys; which place each has on
 * the disk, and how large that is, is sealed.
 * The format is described in docs/formats/block-store.md.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { type Digest, parseDigest } from '../lib/digest.ts'
import { type BlockKey, keySizeBytes } from './block.ts'
import { type BlockCipher, nameUnder, openUnder, sealUnder } from './block-cipher.ts'
import { decodeManifest, encodeManifest, keyAt, type Manifest } from './manifest.ts'

const magic = Buffer.from('imgsman1', 'latin1')
const headBytes = 48
const nameAt = 16
const checksumBytes = 32

/** Whether the bytes of a manifest's file are sealed. */
export const isSealedManifest = (file: Uint8Array): boolean =>
  magic.equals(file.subarray(0, magic.length))

/** The file, and the digest that names it. */
export function sealManifest(
  manifest: Manifest,
  cipher: BlockCipher,
): { readonly file: Buffer; readonly digest: Digest } {
  const plain = encodeManifest(manifest)
  const name = nameUnder(cipher.manifestNames, plain)
  const positions = manifest.indexes.keys()
  const keys = [...new Set([...positions].map((position) => keyAt(manifest, position)))].sort()
  const head = Buffer.alloc(headBytes + keys.length * keySizeBytes)
  magic.copy(head)
  head.writeUInt32LE(keys.length, 8)
  name.copy(head, nameAt)
  for (const [position, key] of keys.entries()) {
    head.write(key, headBytes + position * keySizeBytes, 'latin1')
  }
  const params = { [constants.ZSTD_c_compressionLevel]: 3 }
  const content = Buffer.concat([
    head,
    sealUnder(cipher, head, zstdCompressSync(plain, { params })),
  ])
  const file = Buffer.concat([content, createHash('sha256').update(content).digest()])
  return { file, digest: digestOfName(name) }
}

/** Throws where the file is not the manifest of that name, under that key. */
export function openManifest(digest: Digest, file: Buffer, cipher: BlockCipher): Manifest {
  const { head, sealed } = parse(digest, file)
  const opened = openUnder(cipher, head, sealed)
  assert(opened, 'it does not open with this key')
  const plain = zstdDecompressSync(opened)
  const name = digestOfName(nameUnder(cipher.manifestNames, plain))
  assert.equal(name, digest, 'its content does not match its name')
  return decodeManifest(plain)
}

/** The blocks that it names, each once. Throws where the file is damaged, which shows without a key. */
export function namesOfSealed(digest: Digest, file: Buffer): Iterable<BlockKey> {
  return namesFrom(parse(digest, file).head)
}

/** The same as their bytes, one behind the other. */
export function keysOfSealed(digest: Digest, file: Buffer): Buffer {
  return parse(digest, file).head.subarray(headBytes)
}

function* namesFrom(head: Buffer): Generator<BlockKey> {
  for (let at = headBytes; at < head.length; at += keySizeBytes) {
    yield head.toString('latin1', at, at + keySizeBytes)
  }
}

function parse(digest: Digest, file: Buffer) {
  assert(file.length >= headBytes + checksumBytes, 'it is too short')
  const content = file.subarray(0, -checksumBytes)
  const checksum = createHash('sha256').update(content).digest()
  assert(checksum.equals(file.subarray(-checksumBytes)), 'its content does not match its checksum')
  const head = content.subarray(0, headBytes + content.readUInt32LE(8) * keySizeBytes)
  const name = digestOfName(head.subarray(nameAt, headBytes))
  assert.equal(name, digest, 'its content does not match its name')
  return { head, sealed: content.subarray(head.length) }
}

const digestOfName = (name: Uint8Array): Digest =>
  parseDigest(`sha256:${Buffer.from(name).toString('hex')}`)
