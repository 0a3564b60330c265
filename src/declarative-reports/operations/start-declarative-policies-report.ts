/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StartDeclarativePoliciesReport.html */
import type {
  StartDeclarativePoliciesReportRequest,
  StartDeclarativePoliciesReportResult,
} from '@aws-sdk/client-ec2'
import { isBucketName, isObjectKey } from '../../buckets/names.ts'
import { demandOn } from '../../iam/demand.ts'
import { ApiError, invalidParameterValue } from '../../lib/errors.ts'
import { findTarget } from '../../organizations/target.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { putTags } from '../../tags/store.ts'
import { writeOperation } from '../../wire/operation.ts'
import { requireManaging } from '../find.ts'
import { objectKeyOf, type Report, resourceType, wrongState } from '../report.ts'
import { insertReport } from '../store.ts'

interface Found {
  readonly hasBucket: boolean
}

export const startDeclarativePoliciesReport = writeOperation<
  StartDeclarativePoliciesReportRequest,
  StartDeclarativePoliciesReportResult,
  Found
>({
  action: 'StartDeclarativePoliciesReport',
  demands: ({ S3Bucket, S3Prefix }) => [
    demandOn('ec2:StartDeclarativePoliciesReport', '*'),
    demandOn('s3:PutObject', `arn:aws:s3:::${S3Bucket}/${S3Prefix ? `${S3Prefix}/` : ''}*`),
  ],
  async prepare({ S3Bucket: bucket = '' }, { readers, caller, region }) {
    const place = { accountId: caller.accountId, region, bucket }
    return { hasBucket: isBucketName(bucket) && (await readers.buckets.hasBucket(place)) }
  },
  async run(call, { hasBucket }) {
    const { input, tx, caller, region, now, newId } = call
    const { accountId } = caller
    const { S3Bucket: bucket = '', S3Prefix: prefix, TargetId: targetId = '' } = input
    const tags = tagsOnCreate(input.TagSpecifications, [resourceType]).get(resourceType) ?? []
    const organization = await requireManaging(tx, call)
    const target = await findTarget(tx, organization, targetId)
    if (!target) {
      throw invalidParameterValue('targetId', targetId, 'It must be a root, a unit or an account.')
    }
    if (!hasBucket) {
      throw new ApiError('NoSuchBucket', `The specified bucket does not exist: ${bucket}`)
    }
    const report: Report = {
      id: newId(resourceType),
      accountId,
      region,
      organizationId: organization.id,
      bucket,
      prefix: prefix === '' ? undefined : prefix,
      targetId: target.id,
      state: 'running',
      startedAt: now,
      endedAt: undefined,
      summary: undefined,
    }
    if (!isObjectKey(objectKeyOf(report))) {
      throw invalidParameterValue('s3Prefix', prefix ?? '', 'It must be a path in the bucket.')
    }
    if (!(await insertReport(tx, report))) {
      throw wrongState('Another report on the organization is being made.')
    }
    await putTags(tx, { accountId, region, resourceType, resourceId: report.id, tags })
    return { ReportId: report.id }
  },
})
