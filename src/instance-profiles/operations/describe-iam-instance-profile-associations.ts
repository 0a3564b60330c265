/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeIamInstanceProfileAssociations.html */
import type {
  DescribeIamInstanceProfileAssociationsRequest,
  DescribeIamInstanceProfileAssociationsResult,
} from '@aws-sdk/client-ec2'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { type Association, associationNotFound, parseAssociationId } from '../association.ts'
import { listAssociations } from '../store.ts'
import { viewAssociation } from '../view.ts'

const filters: FilterTable<Association> = {
  'instance-id': ({ instanceId }) => instanceId,
  state: (association) => viewAssociation(association).State,
}

export const describeIamInstanceProfileAssociations = readOperation<
  DescribeIamInstanceProfileAssociationsRequest,
  DescribeIamInstanceProfileAssociationsResult
>({
  action: 'DescribeIamInstanceProfileAssociations',

  async run({ input, db, caller, region }) {
    const { AssociationIds = [], Filters } = input
    checkFilters(Filters, filters)
    const ids = AssociationIds.map(parseAssociationId)
    const all = await listAssociations(db, { accountId: caller.accountId, region })
    const missing = ids.find((id) => !all.some((association) => association.id === id))
    if (missing) throw associationNotFound(missing)
    const found = all
      .filter(({ id }) => ids.length === 0 || ids.includes(id))
      .filter((association) => matchesFilters(association, Filters, filters))
    const { items, NextToken } = page(found, input, ({ id }) => id)
    return {
      IamInstanceProfileAssociations: items.map((association) => viewAssociation(association)),
      NextToken,
    }
  },
})
