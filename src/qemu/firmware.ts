/**
 * UEFI for a machine: the code, which all share read-only, and a file of its own
 * for variables: the template that comes with the code, or filled with what is given.
 */
import { constants, copyFile, access, readFile } from 'node:fs/promises'
import { renameDurably, sync, temporarySuffix, writeDurably } from './durable-file.ts'
import { writeVariables } from './uefi-store.ts'
import type { UefiVariable } from './uefi-variable.ts'

export interface UefiFiles {
  readonly code: string
  readonly variables: string
}

/** Where distributions put it: Debian and Ubuntu, Fedora, Arch, openSUSE. */
const candidates = [
  ['/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd'],
  ['/usr/share/edk2/ovmf/OVMF_CODE.fd', '/usr/share/edk2/ovmf/OVMF_VARS.fd'],
  ['/usr/share/edk2/x64/OVMF_CODE.4m.fd', '/usr/share/edk2/x64/OVMF_VARS.4m.fd'],
  ['/usr/share/qemu/ovmf-x86_64-4m-code.bin', '/usr/share/qemu/ovmf-x86_64-4m-vars.bin'],
] as const

/** Readies the variables at the path, keeping those that are there. */
export async function prepareUefi(
  variables: string,
  given?: readonly UefiVariable[],
): Promise<UefiFiles> {
  for (const [code, template] of candidates) {
    if (!(await exists(code)) || !(await exists(template))) continue
    if (!(await exists(variables))) {
      await (given ? fill(template, variables, given) : copy(template, variables))
    }
    return { code, variables }
  }
  throw new Error('Install the UEFI firmware for virtual machines: package "ovmf"')
}

async function copy(template: string, path: string): Promise<void> {
  const temporary = path + temporarySuffix
  await copyFile(template, temporary, constants.COPYFILE_FICLONE)
  await sync(temporary)
  await renameDurably(temporary, path)
}

async function fill(
  template: string,
  path: string,
  variables: readonly UefiVariable[],
): Promise<void> {
  const bytes = writeVariables(await readFile(template), variables)
  await writeDurably(path, bytes.length, [{ offset: 0, bytes }])
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
