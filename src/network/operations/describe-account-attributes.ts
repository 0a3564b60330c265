/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAccountAttributes.html */
import type {
  DescribeAccountAttributesRequest,
  DescribeAccountAttributesResult,
} from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import type { Database } from '../../db/database.ts'
import { readOperation } from '../../wire/operation.ts'
import { groupsPerInterfaceMax } from '../network-interface.ts'
import { findDefaultVpc } from '../store.ts'

type Look = (db: Database, owner: { accountId: string; region: string }) => Promise<string>

const attributes: Readonly<Record<string, Look>> = {
  'default-vpc': async (db, owner) => (await findDefaultVpc(db, owner))?.id ?? 'none',
  'max-elastic-ips': async () => '0',
  // What the host holds is the limit; the number has to be there.
  'max-instances': async () => '1000',
  'supported-platforms': async () => 'VPC',
  'vpc-max-elastic-ips': async () => '0',
  'vpc-max-security-groups-per-interface': async () => String(groupsPerInterfaceMax),
}

export const describeAccountAttributes = readOperation<
  DescribeAccountAttributesRequest,
  DescribeAccountAttributesResult
>({
  action: 'DescribeAccountAttributes',
  async run({ input, db, caller, region }) {
    const owner = { accountId: caller.accountId, region }
    const wanted = input.AttributeNames?.length ? input.AttributeNames : Object.keys(attributes)
    const found = []
    for (const name of wanted) {
      const look = Object.hasOwn(attributes, name) ? attributes[name] : undefined
      if (!look) {
        throw new ApiError(
          'InvalidParameterValue',
          `Value (${name}) for parameter attributeName is invalid. Unknown attribute.`,
        )
      }
      found.push({
        AttributeName: name,
        AttributeValues: [{ AttributeValue: await look(db, owner) }],
      })
    }
    return { AccountAttributes: found }
  },
})
