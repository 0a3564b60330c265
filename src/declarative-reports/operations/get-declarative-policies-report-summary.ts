/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetDeclarativePoliciesReportSummary.html */
import type {
  GetDeclarativePoliciesReportSummaryRequest,
  GetDeclarativePoliciesReportSummaryResult,
} from '@aws-sdk/client-ec2'
import { readOperation } from '../../wire/operation.ts'
import { requireReport } from '../find.ts'
import { type Counts, wrongState } from '../report.ts'

export const getDeclarativePoliciesReportSummary = readOperation<
  GetDeclarativePoliciesReportSummaryRequest,
  GetDeclarativePoliciesReportSummaryResult
>({
  action: 'GetDeclarativePoliciesReportSummary',
  async run(call) {
    const report = await requireReport(call.db, call, call.input.ReportId)
    const { summary } = report
    if (!summary) throw wrongState(`The report ${report.id} is ${report.state}, not complete.`)
    return {
      ReportId: report.id,
      S3Bucket: report.bucket,
      S3Prefix: report.prefix,
      TargetId: report.targetId,
      StartTime: report.startedAt,
      EndTime: report.endedAt,
      NumberOfAccounts: summary.accounts,
      NumberOfFailedAccounts: 0,
      AttributeSummaries: summary.attributes.map((attribute) => ({
        AttributeName: attribute.name,
        MostFrequentValue: attribute.mostFrequent,
        ...viewCounts(attribute),
        RegionalSummaries: attribute.regions.map((one) => ({
          RegionName: one.region,
          ...viewCounts(one),
        })),
      })),
    }
  },
})

const viewCounts = ({ matched, unmatched }: Counts) => ({
  NumberOfMatchedAccounts: matched,
  NumberOfUnmatchedAccounts: unmatched,
})
