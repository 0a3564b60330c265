/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeKeyPairs.html */
import type { DescribeKeyPairsRequest, DescribeKeyPairsResult } from '@aws-sdk/client-ec2'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { listTags } from '../../tags/store.ts'
import { viewTags } from '../../tags/view.ts'
import { readOperation } from '../../wire/operation.ts'
import { type KeyPair, keyPairIdNotFound, keyPairNotFound } from '../key-pair.ts'
import { listKeyPairs } from '../store.ts'

const filters: FilterTable<KeyPair> = {
  fingerprint: ({ fingerprint }) => fingerprint,
  'key-name': ({ name }) => name,
  'key-pair-id': ({ id }) => id,
}

export const describeKeyPairs = readOperation<DescribeKeyPairsRequest, DescribeKeyPairsResult>({
  action: 'DescribeKeyPairs',
  async run({ input, db, caller, region }) {
    const { Filters, KeyNames = [], KeyPairIds = [], IncludePublicKey = false } = input
    checkFilters(Filters, filters)
    const owner = { accountId: caller.accountId, region }
    const all = await listKeyPairs(db, owner)
    for (const name of KeyNames) {
      if (!all.some((pair) => pair.name === name)) throw keyPairNotFound(name)
    }
    for (const id of KeyPairIds) {
      if (!all.some((pair) => pair.id === id)) throw keyPairIdNotFound(id)
    }
    const isAll = KeyNames.length + KeyPairIds.length === 0
    const tags = await listTags(db, { ...owner, resourceType: 'key-pair' })
    return {
      KeyPairs: all
        .filter(({ name, id }) => isAll || KeyNames.includes(name) || KeyPairIds.includes(id))
        .filter((pair) => matchesFilters(pair, Filters, filters, tags.get(pair.id)))
        .map((pair) => ({
          KeyPairId: pair.id,
          KeyName: pair.name,
          KeyType: pair.type,
          KeyFingerprint: pair.fingerprint,
          CreateTime: pair.createdAt,
          PublicKey: IncludePublicKey ? pair.publicKey : undefined,
          Tags: viewTags(tags.get(pair.id)),
        })),
    }
  },
})
