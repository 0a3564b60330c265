/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageUsageReportEntries.html */
import type {
  DescribeImageUsageReportEntriesRequest,
  DescribeImageUsageReportEntriesResult,
  ImageUsageReportEntry,
} from '@aws-sdk/client-ec2'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { findReports } from '../find.ts'
import { listEntries } from '../store.ts'

const filters: FilterTable<ImageUsageReportEntry> = {
  'account-id': ({ AccountId }) => AccountId,
  'creation-time': ({ ReportCreationTime }) => ReportCreationTime,
  'resource-type': ({ ResourceType }) => ResourceType,
}

export const describeImageUsageReportEntries = readOperation<
  DescribeImageUsageReportEntriesRequest,
  DescribeImageUsageReportEntriesResult
>({
  action: 'DescribeImageUsageReportEntries',
  async run(call) {
    const { input, db } = call
    checkFilters(input.Filters, filters)
    const reports = await findReports(db, call, input)
    const byId = new Map(reports.map((report) => [report.id, report]))
    const entries = (await listEntries(db, [...byId.keys()])).map((entry) => ({
      ResourceType: entry.resourceType,
      ReportId: entry.reportId,
      UsageCount: entry.count,
      AccountId: entry.accountId,
      ImageId: byId.get(entry.reportId)?.imageId,
      ReportCreationTime: byId.get(entry.reportId)?.createdAt,
    }))
    const matching = entries.filter((entry) => matchesFilters(entry, input.Filters, filters))
    const { items, NextToken } = page(
      matching,
      input,
      ({ ReportId, AccountId, ResourceType }) => `${ReportId} ${AccountId} ${ResourceType}`,
    )
    return { ImageUsageReportEntries: [...items], ...(NextToken && { NextToken }) }
  },
})
