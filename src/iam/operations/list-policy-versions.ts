/**
 * The versions of a managed policy, without their documents.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html
 */
import type { ListPolicyVersionsRequest, ListPolicyVersionsResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { findManaged, versionOfAws, viewVersion } from '../find-managed.ts'
import { pageOf } from '../list-page.ts'
import { listVersions } from '../policy-store.ts'

export const listPolicyVersions = readOperation<
  ListPolicyVersionsRequest,
  ListPolicyVersionsResponse
>({
  service: 'iam',
  action: 'ListPolicyVersions',
  demands: () => [],

  async run(call) {
    const { db, input } = call
    const found = await findManaged(db, call, 'ListPolicyVersions', input.PolicyArn)
    const defaultVersion = found.isOfAws ? 1 : found.details.defaultVersion
    const versions = found.isOfAws
      ? [versionOfAws(found.document)]
      : await listVersions(db, found.entity.id)
    // The newest comes first.
    const newestFirst = ({ version }: { version: number }) => String(2 ** 40 - version)
    const { items, ...rest } = pageOf(versions, input, newestFirst)
    return { Versions: items.map((version) => viewVersion(version, defaultVersion)), ...rest }
  },
})
