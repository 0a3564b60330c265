/**
 * What guests run on. `/dev/kvm` can be there, open, create a machine, and still
 * never enter a guest, so KVM counts only where a guest has run on it: the BIOS,
 * and a boot sector that tells QEMU to exit. (A guest that stays in real mode would
 * prove nothing: the kernel may emulate that without the processor's help.)
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, constants, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type Accelerator = 'kvm' | 'tcg'

export interface Probe {
  readonly accelerator: Accelerator
  readonly why: string
}

const probeTimeoutMs = 2_000
const sectorBytes = 512
/** `mov al, 16; out 0xf4, al; hlt; jmp $-1`: the exit device ends QEMU with 16 × 2 + 1. */
const instructions = Uint8Array.of(0xb0, 16, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd)
const bootSignature = Uint8Array.of(0x55, 0xaa)
const exitCodeOfGuest = 33

/** Tries what is chosen; with `auto`, KVM first. The folder takes a file for the time being. */
export async function probeAccelerator(
  choice: Accelerator | 'auto',
  { folder }: { readonly folder: string },
): Promise<Probe> {
  if (choice === 'tcg') return { accelerator: 'tcg', why: 'chosen' }
  const failure = await whyNotKvm(folder)
  if (failure === undefined) return { accelerator: 'kvm', why: 'a guest ran on /dev/kvm' }
  if (choice === 'kvm') throw new Error(`KVM is chosen and does not work: ${failure}`)
  return { accelerator: 'tcg', why: failure }
}

async function whyNotKvm(folder: string): Promise<string | undefined> {
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return runGuest('kvm', folder)
}

/** Runs the guest, and says why it did not run where it did not. */
export async function runGuest(
  accelerator: Accelerator,
  folder: string,
): Promise<string | undefined> {
  const disk = join(folder, `probe-${accelerator}.raw`)
  const bytes = new Uint8Array(sectorBytes)
  bytes.set(instructions)
  bytes.set(bootSignature, sectorBytes - bootSignature.length)
  await writeFile(disk, bytes)
  const options = `if=ide,format=raw,file=${disk.replaceAll(',', ',,')}`
  try {
    const qemu = spawn(
      'qemu-system-x86_64',
      [
        ['-nodefaults', '-no-user-config', '-display', 'none', '-m', '16M'],
        ['-machine', 'pc', '-drive', options],
        ['-accel', accelerator, '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'],
      ].flat(),
      { stdio: ['ignore', 'ignore', 'pipe'], timeout: probeTimeoutMs, killSignal: 'SIGKILL' },
    )
    let complaint = ''
    qemu.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
    const [code] = (await once(qemu, 'close')) as [number | null]
    if (code === exitCodeOfGuest) return undefined
    if (code === null) return `/dev/${accelerator} ran no guest in ${probeTimeoutMs} ms`
    return complaint.trim() || `QEMU exited with ${code}`
  } finally {
    await rm(disk, { force: true })
  }
}
