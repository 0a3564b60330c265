/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeDeclarativePoliciesReports.html */
import type {
  DescribeDeclarativePoliciesReportsRequest,
  DescribeDeclarativePoliciesReportsResult,
} from '@aws-sdk/client-ec2'
import { page } from '../../lib/pages.ts'
import { listTags } from '../../tags/store.ts'
import { viewTags } from '../../tags/view.ts'
import { readOperation } from '../../wire/operation.ts'
import { requireManaging } from '../find.ts'
import { parseReportId, reportNotFound } from '../report.ts'
import { listReports } from '../store.ts'

export const describeDeclarativePoliciesReports = readOperation<
  DescribeDeclarativePoliciesReportsRequest,
  DescribeDeclarativePoliciesReportsResult
>({
  action: 'DescribeDeclarativePoliciesReports',
  async run(call) {
    const { input, db, caller, region } = call
    const { accountId } = caller
    await requireManaging(db, call)
    const wanted = input.ReportIds?.map(parseReportId)
    const all = await listReports(db, { accountId, region })
    const missing = wanted?.find((id) => !all.some((report) => report.id === id))
    if (missing) throw reportNotFound(missing)
    const { items, NextToken } = page(
      all.filter(({ id }) => !wanted || wanted.includes(id)),
      input,
      ({ id }) => id,
    )
    const tags = await listTags(db, { accountId, resourceIds: items.map(({ id }) => id) })
    return {
      Reports: items.map((report) => ({
        ReportId: report.id,
        S3Bucket: report.bucket,
        S3Prefix: report.prefix,
        TargetId: report.targetId,
        StartTime: report.startedAt,
        EndTime: report.endedAt,
        Status: report.state,
        Tags: viewTags(tags.get(report.id)),
      })),
      ...(NextToken && { NextToken }),
    }
  },
})
