/**
 * The command line of a machine. What it does not name does not exist
 * (`-nodefaults`). Each disk sits alone on a PCIe root port, so that it can be
 * unplugged; the ports are eight to a slot, which costs the guest least time.
 * Sockets are named relative to the machine's folder, where QEMU is started,
 * because the path of a socket may have 107 bytes only.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { nodeOfLayer, nodesOfChain } from './block-nodes.ts'
import type { UefiFiles } from './firmware.ts'
import type { Chain } from './layers.ts'
import { serialOption } from './machine-process.ts'
import { type MachineSpec, machineFiles, type NicSpec } from './machine-spec.ts'
import type { DeviceOptions } from './qmp-commands.ts'

/** Translated code, of which a guest that boots needs some 60 MiB. QEMU's own bound is 1 GiB. */
const translationBufferMiB = 128
const portsPerSlot = 8
const firstPortSlot = 0x10
const portSlotsMax = 15
const firstNicSlot = 0x4
/** QEMU would cut a longer name short, and make a tap of that name. */
const tapCharactersMax = 15

export function portId(index: number): string {
  return `port${index}`
}

/** The device that a guest sees of a disk; its backend is the top layer. */
export function diskDevice(
  disk: { readonly id: string; readonly serial: string; readonly bootIndex?: number },
  place: { readonly port: string; readonly node: string },
): DeviceOptions {
  assert(disk.serial.length <= 20, `too long a serial for a disk: ${disk.serial}`)
  return {
    driver: 'virtio-blk-pci',
    id: disk.id,
    bus: place.port,
    drive: place.node,
    serial: disk.serial,
    ...(disk.bootIndex !== undefined && { bootindex: disk.bootIndex }),
  }
}

/** The arguments for QEMU: the chains are those of the disks, in their order. */
export function commandLine(
  spec: MachineSpec,
  files: {
    readonly chains: readonly Chain[]
    readonly uefi: UefiFiles | undefined
    /** Options that have QEMU read the secrets that the disks need. */
    readonly secrets: readonly string[]
  },
): readonly string[] {
  return [
    ['-name', options('', { guest: spec.name, 'debug-threads': 'on' })],
    ['-nodefaults', '-no-user-config', '-display', 'none', '-msg', 'timestamp=on'],
    ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ['-machine', 'q35,usb=off,sata=off,smbus=off,vmport=off,smm=off,dump-guest-core=off'],
    ...accelerator(spec),
    ['-smp', String(spec.vcpus), '-m', `${spec.memoryMiB}M`],
    ['-uuid', spec.uuid, ...smbios(spec), '-rtc', 'base=utc'],
    ['-no-shutdown', '-boot', 'strict=on,menu=off', ...(spec.startsPaused ? ['-S'] : [])],
    ...firmware(files.uefi),
    ...(spec.hasTpm ? tpm() : []),
    ['-qmp', socket(machineFiles.monitor)],
    ['-device', 'VGA,id=video,bus=pcie.0,addr=0x1'],
    ['-object', 'rng-builtin,id=random'],
    ['-device', 'virtio-rng-pci,rng=random,bus=pcie.0,addr=0x2'],
    ['-device', 'vmgenid,guid=auto'],
    ...serial(spec.folder),
    ...spec.nics.flatMap(nic),
    ...ports(spec.disks.length + spec.hotplugSlots),
    files.secrets,
    ...disks(spec, files.chains),
  ].flat()
}

function accelerator(spec: MachineSpec): readonly string[] {
  return spec.accelerator === 'kvm'
    ? ['-accel', 'kvm', '-cpu', 'host']
    : ['-accel', `tcg,thread=multi,tb-size=${translationBufferMiB}`, '-cpu', 'max']
}

function smbios(spec: MachineSpec): readonly string[] {
  return Object.entries(spec.smbios).flatMap(([type, fields]) => [
    '-smbios',
    options('', { type, ...fields }),
  ])
}

function firmware(uefi: UefiFiles | undefined): readonly string[] {
  if (!uefi) return []
  const flash = { if: 'pflash', format: 'raw' }
  return [
    ['-drive', options('', { ...flash, unit: '0', readonly: 'on', file: uefi.code })],
    ['-drive', options('', { ...flash, unit: '1', file: uefi.variables })],
  ].flat()
}

function tpm(): readonly string[] {
  return [
    ['-chardev', `socket,id=tpm-channel,path=${machineFiles.tpmSocket}`],
    ['-tpmdev', 'emulator,id=tpm,chardev=tpm-channel'],
    ['-device', 'tpm-crb,tpmdev=tpm'],
  ].flat()
}

function serial(folder: string): readonly string[] {
  const logFile = options('', { logfile: join(folder, machineFiles.console), logappend: 'on' })
  return [
    ['-chardev', `${serialOption}path=${machineFiles.serial},server=on,wait=off,${logFile}`],
    ['-device', 'isa-serial,chardev=serial'],
    ['-chardev', `socket,id=agent,path=${machineFiles.guestAgent},server=on,wait=off`],
    ['-device', 'virtio-serial-pci,id=channels,bus=pcie.0,addr=0x3,max_ports=2'],
    ['-device', 'virtserialport,bus=channels.0,chardev=agent,name=org.qemu.guest_agent.0'],
  ].flat()
}

function nic({ id, mac, tap }: NicSpec, index: number): readonly string[] {
  const slot = firstNicSlot + index
  assert(slot < firstPortSlot, `too many network interfaces: ${index + 1}`)
  assert(tap.length <= tapCharactersMax, `too long a name for a tap: ${tap}`)
  const place = { bus: 'pcie.0', addr: `0x${slot.toString(16)}` }
  const guest = { id: `${id}-device`, netdev: id, mac, romfile: '' }
  return [
    ['-netdev', options('tap', { id, ifname: tap, script: 'no', downscript: 'no' })],
    ['-device', options('virtio-net-pci', { ...guest, ...place })],
  ].flat()
}

function ports(count: number): readonly string[] {
  assert(count <= portSlotsMax * portsPerSlot, `too many disks: ${count}`)
  return Array.from({ length: count }).flatMap((_, index) => {
    const slot = firstPortSlot + Math.floor(index / portsPerSlot)
    const port = {
      id: portId(index),
      bus: 'pcie.0',
      addr: `0x${slot.toString(16)}.${index % portsPerSlot}`,
      chassis: String(index + 1),
      'io-reserve': '0',
      ...(index % portsPerSlot === 0 && { multifunction: 'on' }),
    }
    return ['-device', options('pcie-root-port', port)]
  })
}

function disks(spec: MachineSpec, chains: readonly Chain[]): readonly string[] {
  return spec.disks.flatMap((disk, index) => {
    const chain = chains[index]
    const top = chain?.layers[0]
    assert(chain && top, `no layers for ${disk.id}`)
    const nodes = nodesOfChain(disk.id, chain)
    const place = { port: portId(index), node: nodeOfLayer(disk.id, top.layer) }
    return [
      ...nodes.flatMap((node) => ['-blockdev', JSON.stringify(node)]),
      ['-device', JSON.stringify(diskDevice(disk, place))],
    ].flat()
  })
}

function socket(name: string): string {
  return `unix:${name},server=on,wait=off`
}

/** `first,key=value,…`; a comma within a value is doubled. */
function options(first: string, values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(
    ([key, value]) => `${key}=${value.replaceAll(',', ',,')}`,
  )
  return [...(first === '' ? [] : [first]), ...pairs].join(',')
}
