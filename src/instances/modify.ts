/**
 * What `ModifyInstanceAttribute` can change, one attribute at a time. A call
 * names the attribute in a member of its own, or by `Attribute` with `Value`:
 * both are read into one form, and then there is one way to apply each.
 */
import type {
  InstanceBlockDeviceMappingSpecification,
  ModifyInstanceAttributeRequest,
} from '@aws-sdk/client-ec2'
import { ApiError, invalidParameterValue, missingParameter } from '../lib/errors.ts'
import { listInterfaces, setInterfaceGroups } from '../network/interface-store.ts'
import { findGroupsOfInterface } from '../network/interfaces.ts'
import { listAttachments, setDeleteOnTermination } from '../volumes/store.ts'
import type { WriteCall } from '../wire/operation.ts'
import type { Instance } from './instance.ts'
import { checkShutdownBehavior, checkStopProtection } from './instance-store.ts'
import { bootModeOf, checkArchitecture, checkEna, instanceTypeNamed } from './instance-type.ts'
import { readShutdownBehavior, unsupportedParameter } from './launch-request.ts'
import { changeInstance, type InstanceChanges } from './store.ts'
import { checkUserData, encodeUserData } from './user-data.ts'

type Call = Pick<WriteCall<unknown>, 'tx' | 'caller' | 'region'>

export type Modification =
  | { readonly attribute: 'blockDeviceMapping'; readonly devices: readonly DeviceChange[] }
  | { readonly attribute: 'groupSet'; readonly groupIds: readonly string[] }
  | { readonly attribute: BooleanAttribute; readonly value: boolean }
  | { readonly attribute: TextAttribute; readonly value: string }

type DeviceChange = InstanceBlockDeviceMappingSpecification
type BooleanAttribute = (typeof booleanAttributes)[number]
type TextAttribute = (typeof textAttributes)[number]

const booleanAttributes = [
  'disableApiStop',
  'disableApiTermination',
  'ebsOptimized',
  'enaSupport',
  'enclaveOptions',
  'sourceDestCheck',
] as const

const textAttributes = [
  'instanceInitiatedShutdownBehavior',
  'instanceType',
  'kernel',
  'ramdisk',
  'sriovNetSupport',
  'userData',
] as const

/** The one attribute that a call changes, and its new value. */
export function readModification(input: ModifyInstanceAttributeRequest): Modification {
  const found = [...readMembers(input), ...readNamed(input)]
  const [first, ...others] = found
  if (!first) throw new ApiError('InvalidParameterCombination', 'No attributes specified.')
  if (others.length === 0) return first
  throw new ApiError(
    'InvalidParameterCombination',
    `Fields for multiple attribute types specified: ${found.map((one) => one.attribute).join(', ')}`,
  )
}

function readMembers(input: ModifyInstanceAttributeRequest): Modification[] {
  const found: Modification[] = []
  const { BlockDeviceMappings = [], Groups = [], UserData } = input
  if (BlockDeviceMappings.length > 0) {
    found.push({ attribute: 'blockDeviceMapping', devices: BlockDeviceMappings })
  }
  if (Groups.length > 0) found.push({ attribute: 'groupSet', groupIds: Groups })
  const booleans: Readonly<Record<BooleanAttribute, boolean | undefined>> = {
    disableApiStop: input.DisableApiStop?.Value,
    disableApiTermination: input.DisableApiTermination?.Value,
    ebsOptimized: input.EbsOptimized?.Value,
    enaSupport: input.EnaSupport?.Value,
    enclaveOptions: input.EnclaveOptions?.Enabled,
    sourceDestCheck: input.SourceDestCheck?.Value,
  }
  for (const attribute of booleanAttributes) {
    const value = booleans[attribute]
    if (value !== undefined) found.push({ attribute, value })
  }
  const texts: Readonly<Record<TextAttribute, string | undefined>> = {
    instanceInitiatedShutdownBehavior: input.InstanceInitiatedShutdownBehavior?.Value,
    instanceType: input.InstanceType?.Value,
    kernel: input.Kernel?.Value,
    ramdisk: input.Ramdisk?.Value,
    sriovNetSupport: input.SriovNetSupport?.Value,
    // Its bytes are known by now; the row keeps Base64, and an empty value clears it.
    userData: UserData && (encodeUserData(UserData.Value ?? new Uint8Array()) ?? ''),
  }
  for (const attribute of textAttributes) {
    const value = texts[attribute]
    if (value !== undefined) found.push({ attribute, value })
  }
  return found
}

function readNamed({ Attribute, Value }: ModifyInstanceAttributeRequest): Modification[] {
  if (Attribute === undefined) return []
  // What changes is told in a list beside it, which is read as a member.
  if (Attribute === 'blockDeviceMapping' || Attribute === 'groupSet') return []
  if (Value === undefined && Attribute !== 'userData') throw missingParameter('value')
  const text = textAttributes.find((name) => name === Attribute)
  if (text) return [{ attribute: text, value: Value ?? '' }]
  const boolean = booleanAttributes.find((name) => name === Attribute)
  if (!boolean) {
    throw invalidParameterValue('attribute', Attribute, 'This attribute cannot be modified.')
  }
  if (Value !== 'true' && Value !== 'false') {
    throw invalidParameterValue('value', Value ?? '', 'It must be true or false.')
  }
  return [{ attribute: boolean, value: Value === 'true' }]
}

/** Applies a modification, or refuses it. */
export async function modify(
  call: Call,
  instance: Instance,
  modification: Modification,
): Promise<void> {
  if (modification.attribute === 'blockDeviceMapping') {
    return await modifyDevices(call, instance, modification.devices)
  }
  if (modification.attribute === 'groupSet') {
    return await modifyGroups(call, instance, modification.groupIds)
  }
  await changeInstance(call.tx, instance.id, changesOf(instance, modification))
}

function changesOf(
  instance: Instance,
  modification: Exclude<Modification, { attribute: 'blockDeviceMapping' | 'groupSet' }>,
): InstanceChanges {
  const { attribute, value } = modification
  switch (attribute) {
    case 'disableApiStop':
      checkStopProtection(value, instance)
      return { isStopDisabled: value }
    case 'disableApiTermination':
      return { isTerminationDisabled: value }
    case 'ebsOptimized':
      requireStopped(instance, attribute)
      return { isEbsOptimized: value }
    case 'sourceDestCheck':
      return { hasSourceDestCheck: value }
    case 'enaSupport':
      requireStopped(instance, attribute)
      if (!value) throw unsupportedParameter('EnaSupport')
      return { enaSupport: true }
    case 'enclaveOptions':
      if (value) throw unsupportedParameter('EnclaveOptions.Enabled')
      return {}
    case 'instanceInitiatedShutdownBehavior': {
      const shutdownBehavior = readShutdownBehavior(value) ?? 'stop'
      checkShutdownBehavior(shutdownBehavior, instance)
      return { shutdownBehavior }
    }
    case 'instanceType': {
      requireStopped(instance, attribute)
      const type = instanceTypeNamed(value)
      checkArchitecture(type, instance.architecture)
      checkEna(type, instance.enaSupport, `that your instance '${instance.id}'`)
      return { instanceType: type.name, currentBootMode: bootModeOf(type, instance.bootMode) }
    }
    case 'userData':
      requireStopped(instance, attribute)
      return { userData: checkUserData(value) }
    case 'kernel':
    case 'ramdisk':
    case 'sriovNetSupport':
      throw unsupportedParameter(attribute)
  }
}

function requireStopped({ id, state }: Instance, attribute: string): void {
  if (state === 'stopped') return
  throw new ApiError(
    'IncorrectInstanceState',
    `The instance '${id}' is not in the 'stopped' state, in which its '${attribute}' can be modified.`,
  )
}

async function modifyGroups(
  call: Call,
  instance: Instance,
  groupIds: readonly string[],
): Promise<void> {
  const groups = await findGroupsOfInterface(call, instance, { groupIds })
  const [nic] = await listInterfaces(call.tx, { instanceIds: [instance.id] })
  if (nic) await setInterfaceGroups(call.tx, nic.id, groups)
}

async function modifyDevices(
  { tx }: Call,
  instance: Instance,
  devices: readonly DeviceChange[],
): Promise<void> {
  const attachments = await listAttachments(tx, { instanceIds: [instance.id] })
  for (const { DeviceName, Ebs, NoDevice, VirtualName } of devices) {
    if (NoDevice !== undefined) throw unsupportedParameter('BlockDeviceMapping.NoDevice')
    if (VirtualName !== undefined) throw unsupportedParameter('BlockDeviceMapping.VirtualName')
    const found = attachments.find(({ device }) => device === DeviceName)
    const isOther = Ebs?.VolumeId !== undefined && Ebs.VolumeId !== found?.volumeId
    if (!found || isOther) {
      throw new ApiError(
        'InvalidInstanceAttributeValue',
        `No device is currently mapped at ${DeviceName ?? ''}`,
      )
    }
    const value = Ebs?.DeleteOnTermination
    if (value !== undefined) await setDeleteOnTermination(tx, { volumeId: found.volumeId, value })
  }
}
