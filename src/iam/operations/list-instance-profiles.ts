/**
 * The instance profiles of the account, by their names.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfiles.html
 */
import type { ListInstanceProfilesRequest, ListInstanceProfilesResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { foldName } from '../entity.ts'
import { listEntities } from '../entity-store.ts'
import { requireAllowed } from '../evaluate.ts'
import { pageOf } from '../list-page.ts'
import { viewProfile } from '../profiles.ts'

export const listInstanceProfiles = readOperation<
  ListInstanceProfilesRequest,
  ListInstanceProfilesResponse
>({
  service: 'iam',
  action: 'ListInstanceProfiles',
  demands: () => [],

  async run({ db, input, caller }) {
    const { accountId } = caller
    const { PathPrefix: pathPrefix = '/' } = input
    const resource = `arn:aws:iam::${accountId}:instance-profile${pathPrefix}`
    requireAllowed(caller, { action: 'iam:ListInstanceProfiles', resource })
    const profiles = await listEntities(db, { accountId, kind: 'profile', pathPrefix })
    const { items, ...rest } = pageOf(profiles, input, ({ name }) => foldName(name))
    return {
      InstanceProfiles: await Promise.all(items.map((profile) => viewProfile(db, profile))),
      ...rest,
    }
  },
})
