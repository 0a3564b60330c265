/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportImage.html */
import type { ImportImageRequest, ImportImageResult } from '@aws-sdk/client-ec2'
import { ec2Demands } from '../../iam/ec2-touched.ts'
import { invalidParameterValue, missingParameter, unsupportedParameter } from '../../lib/errors.ts'
import { usableSnapshot } from '../../snapshots/find.ts'
import { requireCompleted } from '../../snapshots/snapshot.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { writeOperation } from '../../wire/operation.ts'
import { beginTask, checkBuckets, toReadObjects } from '../begin.ts'
import type { Container } from '../container.ts'
import { readContainer } from '../read-container.ts'
import { checkDeviceNames } from '../device-names.ts'
import type { ImageRequest } from '../import-task.ts'
import { viewImageTask } from '../view.ts'

/** As many disks as an instance has places for. */
const disksMax = 27

export const importImage = writeOperation<ImportImageRequest, ImportImageResult>({
  action: 'ImportImage',
  demands: async (input, context) => [
    ...(await ec2Demands('ImportImage', input, context)),
    ...toReadObjects(readContainers(input)),
  ],
  prepare: (input, context) => checkBuckets(readContainers(input), context),

  async run(call) {
    const { input, tx, caller, region } = call
    const type = 'import-image-task'
    const tags = tagsOnCreate(input.TagSpecifications, [type]).get(type) ?? []
    const image = readImage(input)
    const containers = readContainers(input)
    const sources = []
    for (const { source } of containers) {
      if (source.kind !== 'snapshot') continue
      const wanted = { accountId: caller.accountId, region, id: source.snapshotId }
      sources.push(requireCompleted(await usableSnapshot(tx, wanted)))
    }
    return viewImageTask(await beginTask(call, { containers, image, tags, sources }), tags)
  },
})

function readContainers({ DiskContainers = [] }: ImportImageRequest): readonly Container[] {
  if (DiskContainers.length === 0) throw missingParameter('DiskContainers')
  if (DiskContainers.length > disksMax) {
    const count = String(DiskContainers.length)
    throw invalidParameterValue('DiskContainers', count, `There can be at most ${disksMax}.`)
  }
  const containers = DiskContainers.map(readContainer)
  checkDeviceNames(containers)
  return containers
}

function readImage(input: ImportImageRequest): ImageRequest {
  const { Hypervisor = 'xen', LicenseSpecifications, BootMode: bootMode } = input
  const { LicenseType: licenseType, UsageOperation: usageOperation } = input
  if (LicenseSpecifications?.length) throw unsupportedParameter('LicenseSpecifications')
  oneOf('Hypervisor', Hypervisor, ['xen'])
  const architecture = oneOf('Architecture', input.Architecture ?? 'x86_64', ['x86_64', 'arm64'])
  const platform = input.Platform && oneOf('Platform', input.Platform, ['Windows', 'Linux'])
  if (licenseType !== undefined) oneOf('LicenseType', licenseType, ['AWS', 'BYOL'])
  return {
    architecture,
    ...(platform && { platform }),
    // Images that prefer UEFI cannot be imported, says AWS.
    ...(bootMode && { bootMode: oneOf('BootMode', bootMode, ['legacy-bios', 'uefi']) }),
    ...(licenseType !== undefined && { licenseType }),
    ...(usageOperation !== undefined && { usageOperation }),
  }
}

function oneOf<const T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === text)
  if (found !== undefined) return found
  throw invalidParameterValue(name, text, `It must be one of ${allowed.join(', ')}.`)
}
