/**
 * A call of our own API: what EC2 has no call for, as JSON. It is signed like
 * every other call (service `imago`), and obeys the same rules: it records what
 * shall be, or it reads.
 */
import type { ReadCall, WriteCall } from './operation.ts'

interface Declaration {
  /** `imago:CreateImport`, as policies and the audit trail name it. */
  readonly action: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** `/imago/v1/imports/:id` */
  readonly path: string
}

/** What a call was given: the JSON of its body, and the parts of its path by name. */
export interface ExtensionInput {
  readonly body: unknown
  readonly path: Readonly<Record<string, string>>
}

export type Extension = Declaration &
  (
    | { readonly kind: 'read'; run(call: ReadCall<ExtensionInput>): Promise<object> }
    | { readonly kind: 'write'; run(call: WriteCall<ExtensionInput>): Promise<object> }
  )
