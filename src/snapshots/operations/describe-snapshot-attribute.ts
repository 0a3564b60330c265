/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshotAttribute.html */
import type {
  DescribeSnapshotAttributeRequest,
  DescribeSnapshotAttributeResult,
} from '@aws-sdk/client-ec2'
import { readOperation } from '../../wire/operation.ts'
import { ownSnapshot } from '../find.ts'
import { listSnapshotPermissions } from '../permission-store.ts'
import { checkSnapshotAttribute, viewSnapshotPermission } from '../permission.ts'

export const describeSnapshotAttribute = readOperation<
  DescribeSnapshotAttributeRequest,
  DescribeSnapshotAttributeResult
>({
  action: 'DescribeSnapshotAttribute',
  async run({ input, db, caller, region }) {
    const attribute = checkSnapshotAttribute(input.Attribute)
    const { accountId } = caller
    const { id } = await ownSnapshot(db, { accountId, region, id: input.SnapshotId })
    if (attribute === 'productCodes') return { SnapshotId: id, ProductCodes: [] }
    const permissions = await listSnapshotPermissions(db, id)
    return { SnapshotId: id, CreateVolumePermissions: permissions.map(viewSnapshotPermission) }
  },
})
