/** For tests: file systems made by e2fsprogs of a folder, without a mount and without root. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What a file system is to hold, by path: content, or where a link leads. */
export type Tree = Readonly<Record<string, string | Uint8Array | { readonly link: string }>>

export interface MadeDisk {
  readonly path: string
  readonly read: (
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
  ) => Promise<unknown>
}

/** A file of zeros but for a file system at an offset. Its folder is removed after the test. */
export async function makeDisk(
  context: Pick<TestContext, 'after'>,
  tree: Tree,
  {
    type = 'ext4',
    options = [],
    sizeKiB = 4096,
  }: {
    readonly type?: string
    readonly options?: readonly string[]
    readonly sizeKiB?: number
  } = {},
): Promise<MadeDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'imago-ext-'))
  const root = join(folder, 'root')
  await mkdir(root)
  for (const [name, what] of Object.entries(tree)) {
    const path = join(root, name)
    await mkdir(dirname(path), { recursive: true })
    if (typeof what === 'string' || what instanceof Uint8Array) await writeFile(path, what)
    else await symlink(what.link, path)
  }
  const path = join(folder, 'disk.raw')
  await run('mke2fs', ['-q', '-F', '-t', type, '-d', root, ...options, path, `${sizeKiB}k`])
  const file = await open(path, 'r')
  context.after(async () => {
    await file.close()
    await rm(folder, { recursive: true })
  })
  return {
    path,
    read: (buffer, offset, length, position) => file.read(buffer, offset, length, position),
  }
}

/** Has e2fsprogs look at a file system, or change it. */
export async function debugfs(path: string, commands: readonly string[]): Promise<string> {
  const running = run('debugfs', ['-w', path])
  running.child.stdin?.end(`${commands.join('\n')}\n`)
  return (await running).stdout
}
