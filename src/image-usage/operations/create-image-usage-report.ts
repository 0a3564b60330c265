/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImageUsageReport.html */
import type {
  CreateImageUsageReportRequest,
  CreateImageUsageReportResult,
} from '@aws-sdk/client-ec2'
import { ownImage } from '../../images/find.ts'
import { missingParameter } from '../../lib/errors.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { putTags } from '../../tags/store.ts'
import { writeOperation } from '../../wire/operation.ts'
import { readScopes } from '../reference.ts'
import { checkAccountIds, reportedTypes } from '../report.ts'
import { insertReport } from '../store.ts'

const resourceType = 'image-usage-report'

export const createImageUsageReport = writeOperation<
  CreateImageUsageReportRequest,
  CreateImageUsageReportResult
>({
  action: 'CreateImageUsageReport',
  async run({ input, tx, caller, region, now, newId }) {
    const { accountId } = caller
    const tags = tagsOnCreate(input.TagSpecifications, [resourceType]).get(resourceType) ?? []
    const scopes = readScopes(input.ResourceTypes ?? [], {
      types: reportedTypes,
      takesStates: false,
    })
    if (scopes.length === 0) throw missingParameter('ResourceTypes')
    const accountIds = checkAccountIds(input.AccountIds ?? [])
    const image = await ownImage(tx, { accountId, region, id: input.ImageId })
    const id = newId(resourceType)
    await insertReport(tx, {
      id,
      accountId,
      region,
      imageId: image.id,
      scopes,
      accountIds,
      state: 'pending',
      stateReason: undefined,
      createdAt: now,
    })
    await putTags(tx, { accountId, region, resourceType, resourceId: id, tags })
    return { ReportId: id }
  },
})
