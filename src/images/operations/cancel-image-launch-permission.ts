/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelImageLaunchPermission.html */
import type { CancelImageLaunchPermissionRequest } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { visibleImage } from '../find.ts'
import { removeLaunchPermissions } from '../permission-store.ts'
import { notSharedByNameCode } from '../unknowns.ts'

export const cancelImageLaunchPermission = writeOperation<
  CancelImageLaunchPermissionRequest,
  { Return: boolean }
>({
  action: 'CancelImageLaunchPermission',
  async run({ input, tx, caller, region, now }) {
    const { accountId } = caller
    const { id } = await visibleImage(tx, { accountId, region, id: input.ImageId, now })
    const mine = [{ kind: 'user', grantee: accountId } as const]
    if (await removeLaunchPermissions(tx, id, mine)) return { Return: true }
    throw new ApiError(
      notSharedByNameCode,
      `The image '${id}' is not shared with the account ${accountId} by its number.`,
    )
  },
})
