import type { Extension } from '../../wire/extension.ts'
import { importNotFound } from '../import.ts'
import { findImport } from '../store.ts'
import { viewImport } from '../view.ts'

/** How far an import is, and what came of it. */
export const describeImport: Extension = {
  kind: 'read',
  action: 'DescribeImport',
  method: 'GET',
  path: '/imago/v1/imports/:id',
  async run(call) {
    const id = call.input.path['id'] ?? ''
    const item = await findImport(call.db, id)
    const isTheirs = item && (item.accountId === call.caller.accountId || item.kind === 'catalog')
    if (!isTheirs) throw importNotFound(id)
    return viewImport(item)
  },
}
