/**
 * The resources that a call of EC2 names, as policies see them: what is known of each as it
 * is now, with the tags that the caller's account has put on it. Of what is not there, or is
 * not for the caller to see, nothing is known but the ARN that it would have.
 */
import type { Database } from '../db/database.ts'
import { findVisible } from '../images/find.ts'
import { findImage } from '../images/store.ts'
import { findAssociationOf } from '../instance-profiles/store.ts'
import { listInstances } from '../instances/store.ts'
import { findKeyPair, listKeyPairs } from '../key-pairs/store.ts'
import { type Id, isId } from '../lib/ids.ts'
import { findGroup, listGroups } from '../network/group-store.ts'
import { listInterfaces } from '../network/interface-store.ts'
import { findDefaultVpc, findSubnet, findVpc } from '../network/store.ts'
import { findSnapshot, findUsableSnapshot } from '../snapshots/store.ts'
import { listTags } from '../tags/store.ts'
import { findVolumeById } from '../volumes/store.ts'
import type { Touched } from './demand.ts'
import {
  type Ec2Type,
  ec2Arn,
  ec2Resource,
  type FactsOf,
  factsOfInstance,
  factsOfSnapshot,
  factsOfVolume,
  type Place,
} from './ec2-resources.ts'
import { findAccount } from './store.ts'

/** What is known of a resource, and the id that its tags hang on. */
interface Known<T extends Ec2Type> {
  readonly facts: FactsOf<T>
  readonly name?: string
  readonly taggedAs?: string
}

type Find<T extends Ec2Type> = (
  db: Database,
  place: Place,
  name: string,
) => Promise<Known<T> | undefined>

const none = { find: async () => undefined }

const kinds: { readonly [T in Ec2Type]: { readonly find: Find<T> } } = {
  'declarative-policies-report': none,
  image: { find: findImageFacts },
  'image-usage-report': none,
  'import-image-task': none,
  'import-snapshot-task': none,
  instance: {
    async find(db, place, id) {
      const [instance] = await listInstances(db, { ...place, ids: [id] })
      if (!instance) return undefined
      const InstanceProfile = (await findAssociationOf(db, instance.id))?.profileArn
      return { facts: { ...factsOfInstance(instance), InstanceProfile } }
    },
  },
  'key-pair': { find: findKeyFacts },
  'network-interface': {
    async find(db, place, id) {
      const found = (await listInterfaces(db, place)).find((one) => one.id === id)
      if (!found) return undefined
      const { availabilityZone: AvailabilityZone } = found
      const Subnet = ec2Arn('subnet', place, found.subnetId)
      const Vpc = ec2Arn('vpc', place, found.vpcId)
      return { facts: { AvailabilityZone, NetworkInterfaceID: id, Subnet, Vpc } }
    },
  },
  'replace-root-volume-task': none,
  'security-group': {
    async find(db, place, text) {
      const group = isId('security-group', text)
        ? await findGroup(db, { ...place, id: text })
        : await findGroupNamed(db, place, text)
      if (!group) return undefined
      const { id, vpcId } = group
      const facts = { SecurityGroupID: id, Vpc: ec2Arn('vpc', place, vpcId) }
      return { facts, name: id, taggedAs: id }
    },
  },
  'security-group-rule': none,
  snapshot: { find: findSnapshotFacts },
  subnet: {
    async find(db, place, id) {
      const subnet = await findSubnet(db, { ...place, id: id as Id<'subnet'> })
      if (!subnet) return undefined
      const { availabilityZone: AvailabilityZone, vpcId } = subnet
      return { facts: { AvailabilityZone, SubnetID: id, Vpc: ec2Arn('vpc', place, vpcId) } }
    },
  },
  volume: {
    async find(db, place, id) {
      const volume = await findVolumeById(db, id as Id<'volume'>)
      // Also one in the Recycle Bin, which comes back with its tags.
      const isOwn = volume?.accountId === place.accountId && volume.region === place.region
      return isOwn ? { facts: factsOfVolume(volume) } : undefined
    },
  },
  vpc: {
    async find(db, place, id) {
      const vpc = await findVpc(db, { ...place, id: id as Id<'vpc'> })
      return vpc && { facts: { Tenancy: 'default', VpcID: id } }
    },
  },
}

/** A group that is called by its name is one of the default VPC. */
async function findGroupNamed(db: Database, place: Place, name: string) {
  const vpc = await findDefaultVpc(db, place)
  const groups = vpc ? await listGroups(db, place) : []
  return groups.find((group) => group.vpcId === vpc?.id && group.name === name)
}

async function findImageFacts(
  db: Database,
  place: Place,
  text: string,
): Promise<Known<'image'> | undefined> {
  if (!isId('image', text)) return undefined
  const own = await findImage(db, text)
  const isOwn = own?.accountId === place.accountId && own.region === place.region
  const image = isOwn ? own : await findVisible(db, { ...place, id: text })
  if (!image) return undefined
  const { id: ImageID, isPublic: Public, rootDeviceType: RootDeviceType } = image
  const Owner = await ownerOf(db, place, image.accountId)
  return { facts: { ImageID, ImageType: 'machine', Owner, Public, RootDeviceType } }
}

async function findSnapshotFacts(
  db: Database,
  place: Place,
  text: string,
): Promise<Known<'snapshot'> | undefined> {
  if (!isId('snapshot', text)) return undefined
  const own = await findSnapshot(db, text)
  const isOwn = own?.accountId === place.accountId && own.region === place.region
  const snapshot = isOwn ? own : await findUsableSnapshot(db, { ...place, id: text })
  if (!snapshot) return undefined
  const Owner = await ownerOf(db, place, snapshot.accountId)
  return { facts: { ...factsOfSnapshot(snapshot), Owner } }
}

/** A key pair goes by its name; a call may say its id. */
async function findKeyFacts(
  db: Database,
  place: Place,
  text: string,
): Promise<Known<'key-pair'> | undefined> {
  const found = isId('key-pair', text)
    ? (await listKeyPairs(db, place)).find(({ id }) => id === text)
    : await findKeyPair(db, { ...place, name: text })
  if (!found) return undefined
  const { id, name, type } = found
  return { facts: { KeyPairName: name, KeyPairType: type }, name, taggedAs: id }
}

/** `amazon` and the like, where the account is known by such a name. */
async function ownerOf(db: Database, { accountId }: Place, owner: string): Promise<string> {
  return owner === accountId ? owner : ((await findAccount(db, owner))?.alias ?? owner)
}

/** Resources of one type as they are now, in the order in which they are named. */
export async function existing(
  db: Database,
  { accountId, region }: Place,
  type: Ec2Type,
  names: readonly string[],
): Promise<readonly Touched[]> {
  const place = { accountId, region }
  const { find } = kinds[type] as { readonly find: Find<Ec2Type> }
  const found: (Known<Ec2Type> | undefined)[] = []
  for (const name of names) found.push(await find(db, place, name))
  const resourceIds = names.map((name, index) => found[index]?.taggedAs ?? name)
  const tags = names.length > 0 ? await listTags(db, { accountId, resourceIds }) : undefined
  return names.map((name, index) => {
    const { facts = {}, name: known = name } = found[index] ?? {}
    const own = tags?.get(resourceIds[index] ?? name)
    return ec2Resource(type, { ...place, id: known }, { facts, ...(own && { tags: own }) })
  })
}
