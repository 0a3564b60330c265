/**
 * What guests run on. `/dev/kvm` can be there, open, create a machine, and still
 * never enter a guest, so KVM counts only where a guest has run on it: the BIOS,
 * and a boot sector that tells QEMU to exit. (A guest that stays in real mode would
 * prove nothing: the kernel may emulate that without the processor's help.) That it
 * runs none shows only by waiting, so this is remembered until the host starts anew.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, constants, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../lib/message-of.ts'
import { toolEnvironment } from '../vpc/run.ts'

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

/**
 * Tries what is chosen; with `auto`, KVM first. The folder takes the guest's disk for
 * the time being, and for longer a note of what came of it; `isFresh` disregards that.
 */
export async function probeAccelerator(
  choice: Accelerator | 'auto',
  { folder, isFresh = false }: { readonly folder: string; readonly isFresh?: boolean },
): Promise<Probe> {
  if (choice === 'tcg') return { accelerator: 'tcg', why: 'chosen' }
  const failure = await whyNotKvm(folder, isFresh || choice === 'kvm')
  if (failure === undefined) return { accelerator: 'kvm', why: 'a guest ran on /dev/kvm' }
  if (choice === 'kvm') throw new Error(`KVM is chosen and does not work: ${failure}`)
  return { accelerator: 'tcg', why: failure }
}

async function whyNotKvm(folder: string, isFresh: boolean): Promise<string | undefined> {
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK)
  } catch (error) {
    return messageOf(error)
  }
  const note = join(folder, 'no-kvm')
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  if (!isFresh && boot !== '') {
    const [seenAt, failure] = (await readFile(note, 'utf8').catch(() => '')).split('\n', 2)
    if (seenAt === boot.trim() && failure) return failure
  }
  const failure = await runGuest('kvm', folder)
  if (failure === undefined) await rm(note, { force: true })
  else await writeFile(note, `${boot.trim()}\n${failure.replaceAll('\n', ' ')}\n`)
  return failure
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
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: probeTimeoutMs,
        killSignal: 'SIGKILL',
        env: toolEnvironment,
      },
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
