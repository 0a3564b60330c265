/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html */
import type { RegisterImageRequest, RegisterImageResult } from '@aws-sdk/client-ec2'
import { findBundle, type FoundBundle, toReadObject } from '../../bundles/find-bundle.ts'
import { insertBundle } from '../../bundles/store.ts'
import { defaultRootDeviceName } from '../../bundles/unknowns.ts'
import { ec2Demands } from '../../iam/ec2-touched.ts'
import { ApiError, invalidParameterValue, missingParameter } from '../../lib/errors.ts'
import { wishScan } from '../../scans/wish.ts'
import { findSnapshot } from '../../snapshots/store.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { putTags } from '../../tags/store.ts'
import { volumeTypes } from '../../volumes/volume-type.ts'
import { type WriteCall, writeOperation } from '../../wire/operation.ts'
import { billingOf } from '../billing.ts'
import { byDevice, ebsNotSupported, isOmitted, readNewDevice } from '../block-devices.ts'
import { type BlockDevice, checkImageDescription, checkImageName } from '../image.ts'
import { insertImage } from '../store.ts'
import { checkUefiData } from '../uefi-data.ts'
import { insertUefiData } from '../uefi-data-store.ts'

type Call = WriteCall<RegisterImageRequest>

export const registerImage = writeOperation<
  RegisterImageRequest,
  RegisterImageResult,
  FoundBundle | undefined
>({
  action: 'RegisterImage',
  demands: async (input, context) => [
    ...(await ec2Demands('RegisterImage', input, context)),
    ...(input.ImageLocation === undefined ? [] : [toReadObject(input.ImageLocation)]),
  ],
  // Whatever the bucket lies on, nobody else waits for it.
  async prepare({ ImageLocation }, context) {
    return ImageLocation === undefined ? undefined : await findBundle(ImageLocation, context)
  },
  async run(call, bundle) {
    const { input, tx, caller, region, now, newId } = call
    const { Name: name = '', Description: description } = input
    const { accountId } = caller
    checkImageName(name)
    checkImageDescription(description)
    checkSupported(input)
    const tags = tagsOnCreate(input.TagSpecifications, ['image']).get('image') ?? []
    const rootDeviceName = rootDeviceNameOf(input, bundle)
    const virtualizationType = oneOf(
      ['hvm', 'paravirtual'],
      'virtualizationType',
      input.VirtualizationType ?? 'paravirtual',
    )
    const bootMode =
      input.BootMode && oneOf(['legacy-bios', 'uefi', 'uefi-preferred'], 'bootMode', input.BootMode)
    const tpmSupport = input.TpmSupport && oneOf(['v2.0'], 'tpmSupport', input.TpmSupport)
    if (tpmSupport && bootMode !== 'uefi') {
      throw new ApiError('InvalidParameterCombination', 'A TPM needs the boot mode uefi.')
    }
    const { UefiData: uefiData } = input
    if (uefiData !== undefined) {
      if (bootMode !== 'uefi' && bootMode !== 'uefi-preferred') {
        throw new ApiError('InvalidParameterCombination', 'UEFI data needs a boot mode of UEFI.')
      }
      checkUefiData(uefiData, call.readers.uefiDictionary)
    }
    const sriovNetSupport =
      input.SriovNetSupport && oneOf(['simple'], 'sriovNetSupport', input.SriovNetSupport)
    const blockDevices = bundle
      ? await readHostDevices(call, rootDeviceName)
      : await readDevices(call, rootDeviceName)
    const id = newId('image')
    await insertImage(tx, {
      id,
      accountId,
      region,
      name,
      description,
      location: input.ImageLocation ?? `${accountId}/${name}`,
      // Snapshots are whole, so there is nothing to wait for. A bundle is still to be read.
      state: bundle ? 'pending' : 'available',
      stateReason: undefined,
      createdAt: now,
      deregisteredAt: undefined,
      // What EC2 takes where nothing is said, old as it is.
      architecture: oneOf(
        ['i386', 'x86_64', 'arm64', 'x86_64_mac', 'arm64_mac'],
        'architecture',
        input.Architecture ?? bundle?.manifest.architecture ?? 'i386',
      ),
      bootMode,
      rootDeviceName,
      rootDeviceType: bundle ? 'instance-store' : 'ebs',
      virtualizationType,
      ...billingOf(await findRootPlatform(call, blockDevices, rootDeviceName)),
      enaSupport: input.EnaSupport ?? false,
      sriovNetSupport,
      imdsSupport: input.ImdsSupport && oneOf(['v2.0'], 'imdsSupport', input.ImdsSupport),
      tpmSupport,
      isPublic: false,
      sourceInstanceId: undefined,
      sourceImageId: undefined,
      sourceImageRegion: undefined,
      lastLaunchedAt: undefined,
      blockDevices,
    })
    if (!bundle) await wishScan(tx, { id, rootDeviceName, rootDeviceType: 'ebs', blockDevices })
    if (uefiData !== undefined) await insertUefiData(tx, id, uefiData)
    if (bundle) {
      const { source, manifest } = bundle
      const { sizeBytes } = manifest
      await insertBundle(tx, { imageId: id, source, disk: undefined, sizeBytes })
    }
    await putTags(tx, { accountId, region, resourceType: 'image', resourceId: id, tags })
    return { ImageId: id }
  },
})

function rootDeviceNameOf(
  { RootDeviceName }: RegisterImageRequest,
  bundle: FoundBundle | undefined,
): string {
  const name = RootDeviceName ?? bundle?.manifest.rootDeviceName
  if (name !== undefined) return name
  if (!bundle) throw missingParameter('rootDeviceName')
  return defaultRootDeviceName
}

/** The disks beside the root, which all are the host's own where that one is. */
async function readHostDevices(
  { input, tx, caller, region }: Call,
  rootDeviceName: string,
): Promise<readonly BlockDevice[]> {
  const devices: BlockDevice[] = []
  for (const [name, mapping] of byDevice(input.BlockDeviceMappings)) {
    if (mapping.Ebs) throw ebsNotSupported()
    if (isOmitted(mapping)) continue
    if (name === rootDeviceName) {
      throw new ApiError(
        'InvalidBlockDeviceMapping',
        `The root device ${rootDeviceName} is that of the manifest, and cannot be mapped.`,
      )
    }
    devices.push(await readNewDevice(tx, { accountId: caller.accountId, region }, mapping))
  }
  return devices
}

async function readDevices(call: Call, rootDeviceName: string): Promise<readonly BlockDevice[]> {
  const { input, tx, caller, region } = call
  const owner = { accountId: caller.accountId, region }
  const devices: BlockDevice[] = []
  for (const [name, mapping] of byDevice(input.BlockDeviceMappings)) {
    if (isOmitted(mapping)) continue
    const device = await readNewDevice(tx, owner, mapping)
    const isRoot = name === rootDeviceName
    const { ebs } = device
    // A machine that is thrown away takes its root disk along, unless somebody says no.
    const deleteOnTermination = mapping.Ebs?.DeleteOnTermination ?? isRoot
    devices.push(ebs ? { ...device, ebs: { ...ebs, deleteOnTermination } } : device)
  }
  const root = devices.find(({ deviceName }) => deviceName === rootDeviceName)
  if (root?.ebs?.snapshotId === undefined) {
    throw new ApiError(
      'InvalidBlockDeviceMapping',
      `The root device ${rootDeviceName} is not mapped to a snapshot.`,
    )
  }
  const bootable = Object.entries(volumeTypes).filter(([, { isBootable }]) => isBootable)
  if (!bootable.some(([type]) => type === root.ebs?.type)) {
    throw new ApiError(
      'BootForVolumeTypeUnsupported',
      `The volume type ${root.ebs.type} cannot be used as a boot volume.`,
    )
  }
  return devices
}

/** Looks on the root disk itself, since nothing in the call says it. */
async function findRootPlatform(
  { tx, readers }: Call,
  devices: readonly BlockDevice[],
  rootDeviceName: string,
) {
  const id = devices.find(({ deviceName }) => deviceName === rootDeviceName)?.ebs?.snapshotId
  const snapshot = id && (await findSnapshot(tx, id))
  return snapshot?.state === 'completed'
    ? await readers.platform(snapshot.manifest, snapshot.kmsKeyArn)
    : undefined
}

/** What an image cannot be made of here is refused by its name. */
function checkSupported(input: RegisterImageRequest): void {
  const unsupported = {
    KernelId: input.KernelId,
    RamdiskId: input.RamdiskId,
    BillingProduct: input.BillingProducts?.[0],
  }
  for (const [name, value] of Object.entries(unsupported)) {
    if (value === undefined) continue
    throw new ApiError(
      'UnsupportedOperation',
      `The parameter ${name} of RegisterImage is not supported by Imago.`,
    )
  }
}

function oneOf<const Choice extends string>(
  choices: readonly Choice[],
  name: string,
  value: string,
): Choice {
  const found = choices.find((choice) => choice === value)
  if (found !== undefined) return found
  throw invalidParameterValue(name, value, `It must be one of: ${choices.join(', ')}.`)
}
