/** A base that is no file yet: where machines read it meanwhile. */
import { access, realpath } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import type { Chain } from './layers.ts'

/** The chain, with the server of its base where that is no file yet. `folder` is where QEMU runs. */
export async function withServedBase(
  chain: Chain,
  socket: string | undefined,
  folder: string,
): Promise<Chain> {
  const { basePath } = chain
  if (basePath === undefined || socket === undefined || (await isThere(basePath))) return chain
  // Its path may have 107 bytes only.
  const place = await realpath(dirname(socket))
  const near = relative(folder, join(place, basename(socket)))
  return { ...chain, servedBase: { socket: near, folder: place, export: basename(basePath) } }
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
