/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageUsageReports.html */
import type {
  DescribeImageUsageReportsRequest,
  DescribeImageUsageReportsResult,
  ImageUsageReport,
} from '@aws-sdk/client-ec2'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { listTags } from '../../tags/store.ts'
import type { Tag } from '../../tags/tag.ts'
import { viewTags } from '../../tags/view.ts'
import { readOperation } from '../../wire/operation.ts'
import { findReports } from '../find.ts'
import { expiryOf, type UsageReport } from '../report.ts'

const filters: FilterTable<UsageReport> = {
  'creation-time': ({ createdAt }) => createdAt,
  state: ({ state }) => state,
}

export const describeImageUsageReports = readOperation<
  DescribeImageUsageReportsRequest,
  DescribeImageUsageReportsResult
>({
  action: 'DescribeImageUsageReports',
  async run(call) {
    const { input, db, caller } = call
    checkFilters(input.Filters, filters)
    const reports = await findReports(db, call, input)
    const resourceIds = reports.map(({ id }) => id)
    const tags = await listTags(db, { accountId: caller.accountId, resourceIds })
    const matching = reports.filter((report) =>
      matchesFilters(report, input.Filters, filters, tags.get(report.id)),
    )
    const { items, NextToken } = page(matching, input, ({ id }) => id)
    return {
      ImageUsageReports: items.map((report) => view(report, tags.get(report.id))),
      ...(NextToken && { NextToken }),
    }
  },
})

/** How deep reports look into launch templates, where nothing is said. */
const usualVersionDepth = 20

function view(report: UsageReport, tags: readonly Tag[] | undefined): ImageUsageReport {
  return {
    ImageId: report.imageId,
    ReportId: report.id,
    ResourceTypes: report.scopes.map(({ type, versionDepth = usualVersionDepth }) => ({
      ResourceType: type,
      ...(type === 'ec2:LaunchTemplate' && {
        ResourceTypeOptions: [{ OptionName: 'version-depth', OptionValues: [`${versionDepth}`] }],
      }),
    })),
    AccountIds: [...report.accountIds],
    State: report.state,
    StateReason: report.stateReason,
    CreationTime: report.createdAt,
    ExpirationTime: expiryOf(report),
    Tags: viewTags(tags),
  }
}
