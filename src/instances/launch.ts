/**
 * Launches instances: all that `RunInstances` records, in the caller's one
 * transaction. Everything is checked before the first row is written, and what
 * the host cannot hold is not promised.
 */
import type { RunInstancesRequest } from '@aws-sdk/client-ec2'
import { claimBundle } from '../bundles/store.ts'
import type { Tx } from '../db/database.ts'
import { removeReserved, takeReserve } from '../fast-launch/take-reserve.ts'
import { findVisible, isAllowed } from '../images/find.ts'
import {
  type Image,
  imageNotAuthorized,
  imagesNotFound,
  imageUnavailable,
  parseImageId,
} from '../images/image.ts'
import { supportsType, typeNotSupported } from '../images/instance-types.ts'
import { findImage, markLaunched } from '../images/store.ts'
import { associate } from '../instance-profiles/associate.ts'
import { chooseProfile } from '../instance-profiles/choose-profile.ts'
import { keyPairNotFound } from '../key-pairs/key-pair.ts'
import { insertLaunch } from '../inventory/launch-store.ts'
import { findKeyPair } from '../key-pairs/store.ts'
import { ApiError, missingParameter } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import { createInterface, findSubnetForLaunch } from '../network/interfaces.ts'
import { findZone, namedZone } from '../network/zone.ts'
import { tagsOnCreate } from '../tags/on-create.ts'
import { putTags } from '../tags/store.ts'
import type { ResourceType, Tag } from '../tags/tag.ts'
import { checkAttachmentCount } from '../volumes/attachment.ts'
import { createVolume } from '../volumes/create.ts'
import { chooseEncryption, type Encryption } from '../volumes/encryption.ts'
import { insertAttachment } from '../volumes/store.ts'
import { bytesPerGiB } from '../volumes/volume.ts'
import type { WriteCall } from '../wire/operation.ts'
import { type Disk, mergeBlockDevices, resolveDisks } from './block-devices.ts'
import {
  checkHostArchitecture,
  checkTpmHost,
  countFitting,
  insufficientCapacity,
  type TpmHost,
} from './capacity.ts'
import { launching } from './cause.ts'
import { type Instance, statesWithCapacity } from './instance.ts'
import { checkStopProtection, hasHostRoot, shutdownBehaviorAtLaunch } from './instance-store.ts'
import { bootModeOf, checkArchitecture, checkEna, type InstanceType } from './instance-type.ts'
import {
  checkSupported,
  type InterfaceWishes,
  readCounts,
  readInstanceType,
  readInterface,
  readShutdownBehavior,
} from './launch-request.ts'
import { defaultMetadataOptions, withMetadataOptions } from './metadata-options.ts'
import { insertRoot } from './root-store.ts'
import { insertInstance, listTypesInUse } from './store.ts'
import { checkUserData } from './user-data.ts'

export type LaunchCall = Pick<WriteCall<unknown>, 'tx' | 'now' | 'newId' | 'caller' | 'region'> & {
  readonly readers: Pick<
    WriteCall<unknown>['readers'],
    'masterKey' | 'randomBytes' | 'host' | 'tpmProblem'
  >
}

/** A key that cannot be used is told by how the instance ends, as on EC2. */
type EncryptedDisk = Disk & { readonly encryption: Encryption | undefined }

type TagsByType = ReadonlyMap<ResourceType, readonly Tag[]>

/** Records the instances, `pending`, with their volumes and interfaces. */
export async function launch(
  call: LaunchCall,
  request: RunInstancesRequest,
  { usesReserve = true }: { readonly usesReserve?: boolean } = {},
): Promise<readonly Instance[]> {
  const { tx, now, caller, region } = call
  const { accountId } = caller
  checkSupported(request)
  const counts = readCounts(request)
  const type = readInstanceType(request)
  const nic = readInterface(request, type)
  const tags = tagsOnCreate(request.TagSpecifications, ['instance', 'volume', 'network-interface'])
  const userData = checkUserData(request.UserData)
  const wishedBehavior = readShutdownBehavior(request.InstanceInitiatedShutdownBehavior)

  const image = await findLaunchable(call, request.ImageId)
  if (!supportsType(image.instanceTypes, type.name)) throw typeNotSupported(image.id, type.name)
  checkArchitecture(type, image.architecture)
  checkEna(type, image.enaSupport, 'that you are using an AMI that')
  checkBootable(image, type)
  checkStopProtection(request.DisableApiStop ?? false, image)
  const shutdownBehavior = shutdownBehaviorAtLaunch(wishedBehavior, image)
  const root = await findRoot(call, image)
  const currentBootMode = bootModeOf(type, image.bootMode)
  const metadataOptions = withMetadataOptions(
    defaultMetadataOptions(image),
    request.MetadataOptions,
  )
  const keyName = request.KeyName
  if (keyName !== undefined && !(await findKeyPair(tx, { accountId, region, name: keyName }))) {
    throw keyPairNotFound(keyName)
  }
  const profile = await chooseProfile(tx, caller, request.IamInstanceProfile)
  const subnet = await findSubnetForLaunch(call, {
    subnetId: nic.subnetId,
    availabilityZone: readZone(request, region),
  })
  const wishes = mergeBlockDevices(image, request.BlockDeviceMappings)
  checkAttachmentCount(wishes.length)
  const disks = await encryptDisks(call, await resolveDisks(tx, { accountId, region }, wishes))
  const count = await countToLaunch(call, type, counts, subnet.availabilityZone)
  if (nic.privateIp !== undefined && counts.max > 1) {
    throw new ApiError(
      'InvalidParameterCombination',
      'A private IP address can be specified only when one instance is launched.',
    )
  }

  const reservationId = call.newId('reservation')
  const instances: Instance[] = []
  for (let launchIndex = 0; launchIndex < count; launchIndex++) {
    const instance: Instance = {
      id: call.newId('instance'),
      accountId,
      region,
      reservationId,
      launchIndex,
      clientToken: request.ClientToken,
      imageId: image.id,
      instanceType: type.name,
      architecture: image.architecture,
      state: 'pending',
      stateSince: now,
      cause: launching,
      isStopForced: false,
      rebootsWanted: 0,
      rebootsDone: 0,
      keyName,
      vpcId: subnet.vpcId,
      subnetId: subnet.id,
      availabilityZone: subnet.availabilityZone,
      launchedAt: now,
      bootMode: image.bootMode,
      currentBootMode,
      tpmSupport: tpmOf(image, type, call.readers),
      enaSupport: image.enaSupport,
      rootDeviceName: image.rootDeviceName,
      rootDeviceType: image.rootDeviceType,
      platform: image.platform,
      platformDetails: image.platformDetails,
      usageOperation: image.usageOperation,
      userData,
      isTerminationDisabled: request.DisableApiTermination ?? false,
      isStopDisabled: request.DisableApiStop ?? false,
      shutdownBehavior,
      metadataOptions,
      isEbsOptimized: request.EbsOptimized ?? false,
      isMonitored: request.Monitoring?.Enabled ?? false,
      hasSourceDestCheck: true,
    }
    const reserved = usesReserve ? await findReserved(call, image, disks) : undefined
    await record(call, instance, { disks: reserved?.disks ?? disks, nic, tags })
    if (reserved) await removeReserved(tx, reserved.snapshotId, now)
    await insertLaunch(tx, {
      ...instance,
      instanceId: instance.id,
      imageName: image.name,
      imageOwnerId: image.accountId,
      launchedBy: caller.arn,
      endedAt: undefined,
    })
    if (root) await insertRoot(tx, { ...root, instanceId: instance.id })
    if (profile) await associate(call, instance, profile)
    instances.push(instance)
  }
  await markLaunched(tx, image.id, now)
  return instances
}

async function encryptDisks(
  call: LaunchCall,
  disks: readonly Disk[],
): Promise<readonly EncryptedDisk[]> {
  const found: EncryptedDisk[] = []
  for (const disk of disks) {
    const { encrypted, keyId, snapshot: source } = disk
    found.push({ ...disk, encryption: await chooseEncryption(call, { encrypted, keyId, source }) })
  }
  return found
}

/** The disks with a root that has set itself up ahead, where one is in reserve. */
async function findReserved(call: LaunchCall, image: Image, disks: readonly EncryptedDisk[]) {
  const root = disks.find(({ device }) => device === image.rootDeviceName)
  const snapshot = root && (await takeReserve(call, image, root))
  if (!snapshot) return undefined
  const withIt = disks.map((disk) => (disk === root ? { ...disk, snapshot } : disk))
  return { disks: withIt, snapshotId: snapshot.id }
}

/** A TPM is there from the first start on, so the host has to have what makes one. */
function tpmOf({ tpmSupport }: Image, type: InstanceType, host: TpmHost): 'v2.0' | undefined {
  if (tpmSupport === undefined) return undefined
  if (type.family.hypervisor !== 'nitro') {
    throw new ApiError(
      'InvalidParameterCombination',
      `The instance type '${type.name}' does not support a TPM, which the image needs.`,
    )
  }
  checkTpmHost(host)
  return 'v2.0'
}

async function record(
  call: LaunchCall,
  instance: Instance,
  parts: {
    readonly disks: readonly EncryptedDisk[]
    readonly nic: InterfaceWishes
    readonly tags: TagsByType
  },
): Promise<void> {
  const { tx, now } = call
  const { disks, nic, tags } = parts
  await insertInstance(tx, instance)
  await tag(tx, instance, 'instance', instance.id, tags)
  for (const { device, deleteOnTermination, ...shape } of disks) {
    const volume = await createVolume(call, {
      ...shape,
      availabilityZone: instance.availabilityZone,
      tags: tags.get('volume'),
    })
    await insertAttachment(tx, {
      volumeId: volume.id,
      instanceId: instance.id,
      device,
      state: 'attaching',
      isDetachForced: false,
      deleteOnTermination,
      attachedAt: now,
    })
  }
  const made = await createInterface(call, {
    ...nic,
    subnetId: instance.subnetId,
    instanceId: instance.id,
    deviceIndex: 0,
  })
  await tag(tx, instance, 'network-interface', made.id, tags)
}

async function tag(
  tx: Tx,
  { accountId, region }: Instance,
  resourceType: ResourceType,
  resourceId: Id<'instance' | 'network-interface'>,
  tags: TagsByType,
): Promise<void> {
  const found = tags.get(resourceType)
  if (found) await putTags(tx, { accountId, region, resourceType, resourceId, tags: found })
}

/** The image, where the caller may launch it and its disks are there. */
async function findLaunchable(
  { tx, caller, region, now }: LaunchCall,
  imageId: string | undefined,
): Promise<Image> {
  if (imageId === undefined) throw missingParameter('ImageId')
  const id = parseImageId(imageId)
  const image = await findImage(tx, id)
  if (!image || image.region !== region) throw imagesNotFound([id])
  if (image.state === 'deregistered' || image.state === 'recycled') throw imageUnavailable(id)
  const { accountId } = caller
  if (!(await findVisible(tx, { accountId, region, id }))) throw imageNotAuthorized(id)
  if (!(await isAllowed(tx, { accountId, region, now }, image))) throw imagesNotFound([id])
  if (image.state !== 'available') throw imageUnavailable(id)
  return image
}

/** What the roots are made of where they are no volumes: each has its own, as large as a volume would be. */
async function findRoot({ tx }: LaunchCall, image: Image) {
  if (!hasHostRoot(image)) return undefined
  const bundle = await claimBundle(tx, image.id)
  if (!bundle?.disk) throw imageUnavailable(image.id)
  return { disk: bundle.disk, sizeBytes: Math.ceil(bundle.sizeBytes / bytesPerGiB) * bytesPerGiB }
}

function checkBootable(image: Image, type: InstanceType): void {
  if (image.virtualizationType === 'hvm') return
  throw new ApiError(
    'InvalidParameterCombination',
    `Virtualization type 'hvm' is required for instances of type '${type.name}'. ` +
      "Ensure that you are using an AMI with virtualization type 'hvm'.",
  )
}

function readZone({ Placement }: RunInstancesRequest, region: string): string | undefined {
  const wanted = Placement && namedZone(Placement)
  if (wanted === undefined) return undefined
  const zone = findZone(region, wanted)
  if (zone) return zone.name
  throw new ApiError('InvalidParameterValue', `Invalid availability zone: [${wanted}]`)
}

async function countToLaunch(
  { tx, readers }: LaunchCall,
  type: InstanceType,
  { min, max }: { readonly min: number; readonly max: number },
  availabilityZone: string,
): Promise<number> {
  const host = readers.host()
  checkHostArchitecture(type, host)
  const fitting = countFitting(type, await listTypesInUse(tx, statesWithCapacity), host)
  if (fitting < min) throw insufficientCapacity(type, availabilityZone)
  return Math.min(fitting, max)
}
