/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelDeclarativePoliciesReport.html */
import type {
  CancelDeclarativePoliciesReportRequest,
  CancelDeclarativePoliciesReportResult,
} from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { requireReport } from '../find.ts'
import { wrongState } from '../report.ts'
import { endReport } from '../store.ts'

export const cancelDeclarativePoliciesReport = writeOperation<
  CancelDeclarativePoliciesReportRequest,
  CancelDeclarativePoliciesReportResult
>({
  action: 'CancelDeclarativePoliciesReport',
  async run(call) {
    const { tx, now } = call
    const { id, state } = await requireReport(tx, call, call.input.ReportId)
    if (!(await endReport(tx, id, { state: 'cancelled', at: now }))) {
      throw wrongState(`The report ${id} is ${state}, so it cannot be cancelled.`)
    }
    return { Return: true }
  },
})
