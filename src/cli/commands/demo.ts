/**
 * `imago demo`: the whole story on a data folder that is thrown away, by the
 * calls that any client makes. It stops at Ctrl-C, and leaves nothing either way.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bakeImage, startingDigests } from '../demo/images.ts'
import { reachGuest } from '../demo/guest.ts'
import { Narrator } from '../demo/narrator.ts'
import { openStage, type Stage } from '../demo/stage.ts'
import { callEc2 } from '../ec2-client.ts'
import { CommandFailed } from '../failure.ts'
import type { Access } from '../installation.ts'
import { say, type Shell } from '../shell.ts'
import { itemsAt, textAt } from '../xml.ts'

const keyName = 'demo'
const hello = '#!/bin/sh\necho "$(hostname) says: $(cat /root/message)"\n'

export async function demonstrate(shell: Shell): Promise<void> {
  const interruption = new AbortController()
  using _signals = shell.onInterrupt(() =>
    interruption.abort(new CommandFailed('Interrupted', { exitCode: 130 })),
  )
  const { signal } = interruption
  const narrator = new Narrator(shell, signal)
  const startedMs = shell.now().getTime()
  let stage: Stage | undefined
  try {
    stage = await narrator.step('Start a service, and bake its starter image', (detail) =>
      openStage(shell, { signal, onLine: (line) => /^ +\d+ s /.test(line) && detail(line.trim()) }),
    )
    await tell(stage, narrator, signal)
  } finally {
    const { dataFolder } = stage ?? {}
    if (dataFolder) say(shell, `\nClean up: end the machines and the service, remove ${dataFolder}`)
    await stage?.end()
  }
  const seconds = (shell.now().getTime() - startedMs) / 1000
  say(shell, `\nThat was all, in ${seconds.toFixed(0)} s.`)
}

async function tell(stage: Stage, narrator: Narrator, signal: AbortSignal): Promise<void> {
  const { access, dataFolder } = stage
  const keyFile = join(dataFolder, 'keys', `${keyName}.pem`)
  const reach = (id: string) => reachGuest(access, id, { dataFolder, keyFile })

  const tiny = await narrator.step('Make a key pair, and open port 22', async (detail) => {
    await makeKey(access, keyFile)
    await openSsh(access)
    const answer = await callEc2(access, 'DescribeImages', { Owner: ['amazon'] })
    const image = textAt(itemsAt(answer, 'imagesSet')[0], 'imageId')
    if (!image) throw new CommandFailed('The starter image could not be baked: see "imago doctor"')
    detail(`the starter image is ${image}; guests run on ${stage.guests}`)
    return image
  })
  const first = await narrator.step('Launch an instance from it, and log in', async (detail) => {
    const [id = ''] = await launch(access, { imageId: tiny, count: 1 })
    const guest = await reach(id)
    detail(`${id} answers SSH at ${guest.address}: ${await guest.run('uname -sr')}`)
    return guest
  })
  await narrator.step('Write a file and install a script over SSH', async (detail) => {
    await first.run('cat > /root/message', 'baked once, launched thrice')
    await first.run('cat > /usr/bin/hello && chmod 755 /usr/bin/hello', hello)
    detail(await first.run('hello'))
  })
  const golden = await narrator.step('Bake it into an image', async (detail) => {
    const image = await bakeImage(access, { instanceId: first.id, name: 'golden', signal })
    detail(`${image.id} is available; its disk is ${image.digest}`)
    detail(`${describeSize(image)} are new: what it shares with tiny was there already`)
    return image
  })
  await callEc2(access, 'TerminateInstances', { InstanceId: [first.id] })

  const copies = await narrator.step('Launch three instances from that', async (detail) => {
    const ids = await launch(access, { imageId: golden.id, count: 3 })
    const guests = await Promise.all(ids.map(reach))
    for (const guest of guests) detail(`${guest.id}: ${await guest.run('hello')}`)
    return guests
  })
  await narrator.step('Compare the disks they started from', async (detail) => {
    const ids = copies.map(({ id }) => id)
    const digests = await startingDigests(access, ids)
    const isOne = digests.length === 1 && digests[0] === golden.digest
    if (!isOne) throw new CommandFailed(`The disks differ: ${digests.join(', ')}`)
    detail(`all ${ids.length} started from ${digests[0]}`)
  })
  const second = await narrator.step('Change one of them, and bake that', async (detail) => {
    const [changed] = copies
    if (!changed) throw new CommandFailed('There is no instance to change')
    await changed.run('cat > /root/message', 'changed, and baked again')
    const image = await bakeImage(access, { instanceId: changed.id, name: 'golden-2', signal })
    detail(`${image.id} is available; its disk is ${image.digest}`)
    detail(`${describeSize(image)} are new: only what changed was read and stored`)
    return image
  })
  await narrator.step('Terminate the instances, and deregister the images', async () => {
    await callEc2(access, 'TerminateInstances', { InstanceId: copies.map(({ id }) => id) })
    for (const { id } of [golden, second]) {
      const all = { ImageId: id, DeleteAssociatedSnapshots: true }
      await callEc2(access, 'DeregisterImage', all)
    }
  })
}

function describeSize(image: { readonly addedMiB: number; readonly fullMiB: number }): string {
  return `${image.addedMiB.toFixed(1)} MiB of its ${image.fullMiB.toFixed(1)} MiB`
}

async function makeKey(access: Access, keyFile: string): Promise<void> {
  const wishes = { KeyName: keyName, KeyType: 'ed25519' }
  const pair = await callEc2(access, 'CreateKeyPair', wishes)
  await mkdir(join(keyFile, '..'), { recursive: true, mode: 0o700 })
  // EC2 leaves out the last line break, without which OpenSSH reads no key.
  await writeFile(keyFile, `${textAt(pair, 'keyMaterial')}\n`, { mode: 0o600 })
}

async function openSsh(access: Access): Promise<void> {
  const rule = { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }
  const wishes = { GroupName: 'default', IpPermissions: [rule] }
  await callEc2(access, 'AuthorizeSecurityGroupIngress', wishes)
}

async function launch(
  access: Access,
  { imageId, count }: { readonly imageId: string; readonly count: number },
): Promise<readonly string[]> {
  const answer = await callEc2(access, 'RunInstances', {
    ImageId: imageId,
    InstanceType: 't3.nano',
    KeyName: keyName,
    MinCount: count,
    MaxCount: count,
  })
  return itemsAt(answer, 'instancesSet').map((instance) => textAt(instance, 'instanceId'))
}
