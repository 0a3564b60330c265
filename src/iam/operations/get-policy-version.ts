/**
 * A version of a managed policy with its document.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html
 */
import type { GetPolicyVersionRequest, GetPolicyVersionResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { viewDocument } from '../document.ts'
import { findManaged, parseVersion, versionOfAws, viewVersion } from '../find-managed.ts'
import { listVersions } from '../policy-store.ts'
import { noSuchVersion } from '../write-policy.ts'

export const getPolicyVersion = readOperation<GetPolicyVersionRequest, GetPolicyVersionResponse>({
  service: 'iam',
  action: 'GetPolicyVersion',
  demands: () => [],

  async run(call) {
    const { db, input } = call
    const found = await findManaged(db, call, 'GetPolicyVersion', input.PolicyArn)
    const number = parseVersion(input.VersionId)
    const versions = found.isOfAws
      ? [versionOfAws(found.document)]
      : await listVersions(db, found.entity.id)
    const version = versions.find((one) => one.version === number)
    if (!version) throw noSuchVersion(found.arn, number)
    const defaultVersion = found.isOfAws ? 1 : found.details.defaultVersion
    const Document = viewDocument(version.document)
    return { PolicyVersion: { ...viewVersion(version, defaultVersion), Document } }
  },
})
