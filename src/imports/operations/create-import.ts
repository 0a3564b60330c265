import { requireOperator } from '../../iam/operator.ts'
import { invalidParameterValue } from '../../lib/errors.ts'
import { checkUrl, OutboundRefused } from '../../outbound/request.ts'
import type { OutboundRules } from '../../outbound/rules.ts'
import type { Extension } from '../../wire/extension.ts'
import { formatImportId, parseImportRequest } from '../import.ts'
import { insertImport } from '../store.ts'
import { viewImport } from '../view.ts'

/** Takes a file of this host or a URL, to make an image of it. */
export const createImport: Extension = {
  kind: 'write',
  action: 'CreateImport',
  method: 'POST',
  path: '/imago/v1/imports',
  async run(call) {
    const wished = parseImportRequest(call.input.body)
    if (wished.kind === 'file') {
      await requireOperator(call.tx, call.caller, 'have files of this host imported')
    } else checkSource(call.readers.outbound, wished.source)
    const id = formatImportId(call.randomBytes(8))
    const item = {
      ...wished,
      id,
      accountId: call.caller.accountId,
      region: call.region,
      state: 'active',
      message: 'waiting',
      doneBytes: 0,
      totalBytes: 0,
      createdAt: call.now,
      imageId: undefined,
      snapshotId: undefined,
      manifest: undefined,
    } as const
    await insertImport(call.tx, item)
    return viewImport(item)
  },
}

/** Where a name leads to is found out when it is fetched; what cannot be fetched wherever that is, is refused now. */
function checkSource(rules: OutboundRules, source: string): void {
  try {
    checkUrl(rules, new URL(source))
  } catch (error) {
    const why = error instanceof OutboundRefused ? error.message : 'It is no URL.'
    throw invalidParameterValue('source', source.slice(0, 200), why)
  }
}
