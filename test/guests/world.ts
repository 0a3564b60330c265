/**
 * A whole system with real guests in it: one that launches machines, logs in to them, and leaves
 * none behind. Guests are emulated where the host has no KVM that works, so there are few of them.
 */
import assert from 'node:assert/strict'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateKeyPairCommand,
  CreateSecurityGroupCommand,
  AuthorizeSecurityGroupIngressCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  type EC2Client,
  type Image,
  type Instance,
  type InstanceStateName,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import type { RecipeName } from '../../src/catalog/recipe.ts'
import { lastFirst } from '../last-first.ts'
import { startSystem, type SystemOptions, type TestSystem } from '../system.ts'
import { Guest } from './guest.ts'
import { publishStarter } from './starters.ts'

export interface World {
  readonly system: TestSystem
  readonly ec2: EC2Client
  readonly keyName: string
  readonly keyPath: string
  /** A security group that lets SSH in. */
  readonly groupId: string
  /** The starter image, published when it is first asked for. */
  starter(recipe: RecipeName): Promise<string>
  /** Launches one instance, of `tiny` where nothing else is said, and does not wait for it. */
  launch(input?: Partial<RunInstancesCommandInput>): Promise<Guest>
  /** A guest that is there already. */
  guest(instanceId: string, user?: string, keyPath?: string): Guest
  untilState(instanceId: string, state: InstanceStateName): Promise<Instance>
  untilImage(imageId: string): Promise<Image>
}

export async function startWorld(
  context: Pick<TestContext, 'after'>,
  options: SystemOptions = {},
): Promise<World> {
  const opened = lastFirst()
  context.after(opened.end)
  const system = await startSystem(opened, options)
  const { ec2 } = system
  opened.after(() => endInstances(system))

  const keyName = 'guests'
  const made = await ec2.send(new CreateKeyPairCommand({ KeyName: keyName, KeyType: 'ed25519' }))
  assert(made.KeyMaterial)
  const keyPath = join(system.dataFolder, 'guests.pem')
  await writeFile(keyPath, made.KeyMaterial)
  await chmod(keyPath, 0o600)
  const group = await ec2.send(
    new CreateSecurityGroupCommand({ GroupName: 'guests', Description: 'lets SSH in' }),
  )
  assert(group.GroupId)
  const groupId = group.GroupId
  await ec2.send(
    new AuthorizeSecurityGroupIngressCommand({
      GroupId: groupId,
      IpPermissions: [
        { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
      ],
    }),
  )

  const starters = new Map<RecipeName, Promise<string>>()
  const starter = (recipe: RecipeName): Promise<string> => {
    const found = starters.get(recipe) ?? publishStarter(system, recipe)
    starters.set(recipe, found)
    return found
  }
  const guest: World['guest'] = (instanceId, user = 'root', path = keyPath) =>
    new Guest({ ec2, instanceId, user, keyPath: path, dataFolder: system.dataFolder })
  return {
    system,
    ec2,
    keyName,
    keyPath,
    groupId,
    starter,
    guest,
    async launch(input = {}) {
      const { Instances = [] } = await ec2.send(
        new RunInstancesCommand({
          ImageId: input.ImageId ?? (await starter('tiny')),
          InstanceType: 't2.nano',
          KeyName: keyName,
          ...(!input.NetworkInterfaces && { SecurityGroupIds: [groupId] }),
          ...input,
          MinCount: 1,
          MaxCount: 1,
        }),
      )
      const id = Instances[0]?.InstanceId
      assert(id)
      return guest(id)
    },
    untilState: (instanceId, state) =>
      eventually(`${instanceId} is ${state}`, async () => {
        const found = await describeInstance(ec2, instanceId)
        return found.State?.Name === state && found
      }),
    untilImage: (imageId) =>
      eventually(`${imageId} is available`, async () => {
        const { Images = [] } = await ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }))
        const [found] = Images
        assert(found?.State !== 'failed', `failed: ${found?.StateReason?.Message}`)
        return found?.State === 'available' && found
      }),
  }
}

export async function describeInstance(ec2: EC2Client, instanceId: string): Promise<Instance> {
  const { Reservations = [] } = await ec2.send(
    new DescribeInstancesCommand({ InstanceIds: [instanceId] }),
  )
  const found = Reservations[0]?.Instances?.[0]
  assert(found, `${instanceId} is not described`)
  return found
}

/** Waits for a condition; an emulated guest may take its time, and one that hangs is noticed. */
export async function eventually<T>(
  what: string,
  is: () => Promise<T | undefined | false>,
  { everyMs = 100, minutesMax = 3 } = {},
): Promise<T> {
  const end = performance.now() + minutesMax * 60_000
  while (performance.now() < end) {
    const found = await is()
    if (found !== undefined && found !== false) return found
    await sleep(everyMs)
  }
  throw new Error(`it did not come: ${what}`)
}

/** Ends every machine of the system: those that termination is disabled for by their records. */
async function endInstances(system: TestSystem): Promise<void> {
  const { db, ec2 } = system
  const list = async () => {
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}))
    return Reservations.flatMap(({ Instances = [] }) => Instances).filter(
      ({ State }) => State?.Name !== 'terminated',
    )
  }
  await db.writes.updateTable('instances').set({ is_termination_disabled: 0 }).execute()
  const InstanceIds = (await list()).flatMap(({ InstanceId }) => InstanceId ?? [])
  if (InstanceIds.length > 0) await ec2.send(new TerminateInstancesCommand({ InstanceIds }))
  await eventually('every instance has ended', async () => (await list()).length === 0)
}
