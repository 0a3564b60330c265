/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetImageFindings.html */
import type { GetImageFindingsRequest, GetImageFindingsResult } from '@aws-sdk/client-ec2'
import { visibleImage } from '../../images/find.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { disksOf } from '../disks-of.ts'
import { findScan } from '../store.ts'
import { viewFinding } from '../view.ts'

/** EC2 gives pages of one finding already. */
const limits = { min: 1, max: 1000 }

export const getImageFindings = readOperation<GetImageFindingsRequest, GetImageFindingsResult>({
  action: 'GetImageFindings',
  async run({ input, db, caller, region, now }) {
    const { accountId } = caller
    const image = await visibleImage(db, { accountId, region, id: input.ImageId, now })
    const root = (await disksOf(db, [image])).get(image.id)
    const findings = root ? ((await findScan(db, root.disk))?.findings ?? []) : []
    const { items, NextToken } = page(findings, input, (one) => one.vulnerability, limits)
    const ImageFindings = items.map((finding) => viewFinding(finding, root?.snapshotId))
    return { ImageFindings, ...(NextToken && { NextToken }) }
  },
})
