/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html */
import type { CopySnapshotRequest, CopySnapshotResult } from '@aws-sdk/client-ec2'
import { invalidParameterValue } from '../../lib/errors.ts'
import { copySnapshots } from '../../snapshot-copies/copy.ts'
import {
  checkCompletionMinutes,
  checkCopyPlace,
  checkSourceRegion,
} from '../../snapshot-copies/snapshot-copy.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { viewTags } from '../../tags/view.ts'
import { writeOperation } from '../../wire/operation.ts'
import { copySnapshotDemands } from '../demands.ts'
import { usableSnapshot } from '../find.ts'
import { checkSnapshotDescription, requireCompleted } from '../snapshot.ts'

export const copySnapshot = writeOperation<CopySnapshotRequest, CopySnapshotResult>({
  action: 'CopySnapshot',
  demands: copySnapshotDemands,
  async run(call) {
    const { input, tx, caller, region, regions } = call
    const { SourceRegion = '', Description = '', CompletionDurationMinutes } = input
    checkCopyPlace(input)
    // SDKs send these two by themselves; the URL says nothing new.
    const { DestinationRegion = region } = input
    if (DestinationRegion !== region) {
      throw invalidParameterValue('destinationRegion', DestinationRegion, `It must be ${region}.`)
    }
    checkSnapshotDescription(Description)
    checkCompletionMinutes('completionDurationMinutes', CompletionDurationMinutes)
    const tags = tagsOnCreate(input.TagSpecifications, ['snapshot']).get('snapshot') ?? []
    checkSourceRegion(SourceRegion, regions)
    const source = await usableSnapshot(tx, {
      accountId: caller.accountId,
      region: SourceRegion,
      id: input.SourceSnapshotId,
    })
    const [copy] = await copySnapshots(call, {
      sources: [requireCompleted(source)],
      describe: () => Description,
      tags,
      completionMinutes: CompletionDurationMinutes,
      encrypted: input.Encrypted,
      keyId: input.KmsKeyId,
    })
    return { SnapshotId: copy?.id, Tags: viewTags(tags) }
  },
})
