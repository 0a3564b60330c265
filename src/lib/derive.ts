/** Keys from keys: HKDF-SHA256, one label for each thing that a key is for. */
import { hkdfSync } from 'node:crypto'

export function derive(key: Uint8Array, label: string, bytes = 32): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', label, bytes))
}
