/** Gives a user or a group another name or path, or both. */
import type { WriteCall } from '../wire/operation.ts'
import { checkName, checkPath, entityArn, entityExists, kindWords } from './entity.ts'
import { renameEntity } from './entity-store.ts'
import { requireAllowed } from './evaluate.ts'
import { requireEntity } from './find.ts'

export async function rename(
  {
    tx,
    input,
    caller,
  }: Pick<WriteCall<{ readonly NewPath?: string | undefined }>, 'tx' | 'input' | 'caller'>,
  kind: 'user' | 'group',
  names: { readonly name: string | undefined; readonly newName: string | undefined },
): Promise<void> {
  const word = kindWords[kind]
  const entity = await requireEntity(tx, { caller }, `Update${word}`, { kind, name: names.name })
  const name = checkName(kind, names.newName ?? entity.name, `new${word}Name`)
  const path = checkPath(input.NewPath ?? entity.path)
  // Who may not change the one that it becomes cannot make it that one.
  const resource = entityArn({ ...entity, name, path })
  requireAllowed(caller, { action: `iam:Update${word}`, resource })
  if (!(await renameEntity(tx, entity, { name, path }))) throw entityExists(kind, name)
}
