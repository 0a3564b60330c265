/** The commands of QEMU's monitor that we use, a line each, with what they take and what they answer. */

export interface Commands {
  qmp_capabilities: { takes: undefined; answers: object }
  'query-status': { takes: undefined; answers: { status: RunState; running: boolean } }
  'query-tpm': { takes: undefined; answers: readonly { id: string; model: string }[] }
  cont: { takes: undefined; answers: object }
  stop: { takes: undefined; answers: object }
  system_powerdown: { takes: undefined; answers: object }
  system_reset: { takes: undefined; answers: object }
  quit: { takes: undefined; answers: object }
  'query-block': { takes: undefined; answers: readonly BlockInfo[] }
  'query-named-block-nodes': { takes: { flat: true }; answers: readonly NodeInfo[] }
  'object-add': { takes: SecretObject; answers: object }
  'object-del': { takes: { id: string }; answers: object }
  'blockdev-add': { takes: BlockNode | ServedNode | GhostNode; answers: object }
  'blockdev-reopen': { takes: { options: readonly BlockNode[] }; answers: object }
  'blockdev-del': { takes: { 'node-name': string }; answers: object }
  transaction: { takes: { actions: readonly TransactionAction[] }; answers: object }
  block_resize: { takes: { 'node-name': string; size: number }; answers: object }
  'block-commit': { takes: BlockCommit; answers: object }
  'query-jobs': { takes: undefined; answers: readonly JobInfo[] }
  'job-cancel': { takes: { id: string }; answers: object }
  'job-dismiss': { takes: { id: string }; answers: object }
  device_add: { takes: DeviceOptions; answers: object }
  device_del: { takes: { id: string }; answers: object }
  'qom-list': { takes: { path: string }; answers: readonly { name: string; type: string }[] }
  'qom-get': { takes: { path: string; property: string }; answers: unknown }
  'qom-set': { takes: { path: string; property: string; value: string }; answers: object }
  screendump: { takes: { filename: string; format: 'ppm' }; answers: object }
  'send-key': { takes: { keys: readonly KeyValue[] }; answers: object }
}

/** How a machine is, in QEMU's words. The others that it knows come with migration or a debugger. */
export type RunState =
  | 'prelaunch'
  | 'running'
  | 'paused'
  | 'shutdown'
  | 'suspended'
  | 'guest-panicked'
  | 'internal-error'
  | 'io-error'

/** A key of the keyboard. */
export interface KeyValue {
  readonly type: 'qcode'
  readonly data: 'shift'
}

export interface BlockInfo {
  readonly device: string
  readonly qdev?: string
  readonly inserted?: {
    readonly 'node-name'?: string
    readonly image?: { readonly 'virtual-size': number }
  }
}

export interface NodeInfo {
  readonly 'node-name'?: string
}

/** A node of the block graph: a file, or a format over one, as `-blockdev` takes it. */
export interface BlockNode {
  readonly driver: 'file' | 'raw' | 'qcow2'
  readonly 'node-name': string
  readonly filename?: string
  readonly file?: string
  readonly backing?: string | null
  readonly 'read-only'?: boolean
  readonly 'auto-read-only'?: boolean
  readonly discard?: 'unmap'
  readonly encrypt?: { readonly format: 'luks'; readonly 'key-secret': string }
}

/** A node whose content a server of NBD has. */
export interface ServedNode {
  readonly driver: 'nbd'
  readonly 'node-name': string
  readonly server: { readonly type: 'unix'; readonly path: string }
  readonly export: string
  readonly 'read-only': true
  readonly 'reconnect-delay': number
}

/** A passphrase, for nodes that are made while it is there. */
export interface SecretObject {
  readonly 'qom-type': 'secret'
  readonly id: string
  readonly data: string
}

/** A node without content, or one over it that fails whatever it is asked for. */
export type GhostNode =
  | { readonly driver: 'null-co'; readonly 'node-name': string; readonly size: number }
  | {
      readonly driver: 'blkdebug'
      readonly 'node-name': string
      readonly image: string
      readonly 'inject-error': readonly { readonly event: 'none'; readonly errno: number }[]
    }

export interface DeviceOptions {
  readonly driver: string
  readonly id: string
  readonly bus: string
  readonly drive: string
  readonly serial: string
  readonly bootindex?: number
}

export interface TransactionAction {
  readonly type: 'blockdev-snapshot'
  readonly data: { readonly node: string; readonly overlay: string }
}

export interface BlockCommit {
  readonly 'job-id': string
  readonly device: string
  readonly 'top-node': string
  readonly 'base-node': string
  readonly 'backing-file': string
  readonly 'auto-dismiss': false
}

export interface JobInfo {
  readonly id: string
  readonly status: string
  readonly 'current-progress': number
  readonly 'total-progress': number
  readonly error?: string
}
