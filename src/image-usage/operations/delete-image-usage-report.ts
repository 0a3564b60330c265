/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteImageUsageReport.html */
import type {
  DeleteImageUsageReportRequest,
  DeleteImageUsageReportResult,
} from '@aws-sdk/client-ec2'
import { deleteTagsOf } from '../../tags/store.ts'
import { writeOperation } from '../../wire/operation.ts'
import { findReports } from '../find.ts'
import { deleteReport } from '../store.ts'

export const deleteImageUsageReport = writeOperation<
  DeleteImageUsageReportRequest,
  DeleteImageUsageReportResult
>({
  action: 'DeleteImageUsageReport',
  async run(call) {
    const { input, tx } = call
    for (const { id } of await findReports(tx, call, { ReportIds: [input.ReportId ?? ''] })) {
      await deleteReport(tx, id)
      await deleteTagsOf(tx, id)
    }
    return { Return: true }
  },
})
