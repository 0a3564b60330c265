/** The import tasks of one kind that a call asks for, with their tags. */
import { checkFilters, type Filter, type FilterTable, matchesFilters } from '../lib/filters.ts'
import { page, type PageQuery } from '../lib/pages.ts'
import { isId } from '../lib/ids.ts'
import { listTags } from '../tags/store.ts'
import type { Tag } from '../tags/tag.ts'
import type { ReadCall } from '../wire/operation.ts'
import { type ImportTask, parseTaskId, taskNotFound } from './import-task.ts'
import { listTasks } from './store.ts'
import { statusOf } from './view.ts'

interface Input extends PageQuery {
  readonly ImportTaskIds?: readonly string[] | undefined
  readonly Filters?: readonly Filter[] | undefined
}

const filters: FilterTable<ImportTask> = { 'task-state': statusOf }

export async function describeTasks(
  { input, db, caller, region }: ReadCall<Input>,
  kind: 'import-snapshot-task' | 'import-image-task',
): Promise<{
  readonly found: readonly { readonly task: ImportTask; readonly tags: readonly Tag[] }[]
  readonly NextToken: string | undefined
}> {
  const { ImportTaskIds: wanted, Filters } = input
  checkFilters(Filters, filters)
  const ids = wanted?.length ? wanted.map((text) => parseTaskId(text, [kind])) : undefined
  const owner = { accountId: caller.accountId, region }
  const all = (await listTasks(db, owner)).filter(({ id }) => isId(kind, id))
  const known = new Set(all.map(({ id }) => id))
  for (const id of ids ?? []) if (!known.has(id)) throw taskNotFound(id)
  const tags = await listTags(db, { ...owner, resourceType: kind })
  const matching = all
    .filter(({ id }) => !ids || ids.includes(id))
    .filter((task) => matchesFilters(task, Filters, filters, tags.get(task.id)))
  const { items, NextToken } = page(matching, input, ({ id }) => id)
  return { found: items.map((task) => ({ task, tags: tags.get(task.id) ?? [] })), NextToken }
}
