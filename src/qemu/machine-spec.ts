/** What a machine is made of. All of it is told at each start; nothing is remembered here. */
import type { Accelerator } from './accelerator.ts'
import type { DiskKeys } from './luks.ts'
import type { UefiVariable } from './uefi-variable.ts'

export type Firmware = 'bios' | 'uefi'

export interface DiskSpec {
  /** At most 20 letters, digits and dashes, a letter first. */
  readonly id: string
  /** The volume's, with its layers. */
  readonly folder: string
  /** What the guest sees, at most 20 characters. */
  readonly serial: string
  readonly bootIndex?: number
  /** What its files are encrypted with, where they are. */
  readonly keys?: DiskKeys
  /** The socket where its base is served as long as that is no file. */
  readonly baseSocket?: string
}

export interface NicSpec {
  readonly id: string
  readonly mac: string
  /** The name of a tap that exists where `enter` leads. */
  readonly tap: string
}

export interface MachineSpec {
  readonly name: string
  /** The machine's own, which exists: sockets, logs, the pid. */
  readonly folder: string
  /** Put before the command; must end in the program it is given, by `exec`. */
  readonly enter: readonly string[]
  readonly accelerator: Accelerator
  readonly vcpus: number
  readonly memoryMiB: number
  readonly firmware: Firmware
  /** What a UEFI that has no variables yet begins with, instead of its template's. */
  readonly uefiVariables?: readonly UefiVariable[]
  /** A TPM 2.0, which keeps its state in the folder. */
  readonly hasTpm?: boolean
  readonly uuid: string
  /** Structures by type, e.g. `{ 1: { manufacturer: … } }`, in the words of `-smbios`. */
  readonly smbios: Readonly<Record<number, Readonly<Record<string, string>>>>
  /** In the order in which the guest shall find them. */
  readonly disks: readonly DiskSpec[]
  readonly nics: readonly NicSpec[]
  /** How many disks more can be plugged in while it runs. */
  readonly hotplugSlots: number
  /** Held before its first instruction until `cont`. */
  readonly startsPaused?: boolean
}

/** Where things are in a machine's folder. */
export const machineFiles = {
  monitor: 'qmp.sock',
  serial: 'serial.sock',
  guestAgent: 'guest-agent.sock',
  console: 'console.log',
  log: 'qemu.log',
  pid: 'pid',
  uefiVariables: 'uefi-variables.fd',
  tpm: 'tpm',
  tpmSocket: 'tpm.sock',
  tpmPid: 'tpm.pid',
  tpmLog: 'tpm.log',
  screenshot: 'screenshot.ppm',
  root: 'root',
} as const
