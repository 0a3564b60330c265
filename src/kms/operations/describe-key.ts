/** https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html */
import type { DescribeKeyRequest, DescribeKeyResponse } from '@aws-sdk/client-kms'
import { writeOperation } from '../../wire/operation.ts'
import { isManagedAlias } from '../alias.ts'
import { hereOf, onKey, requireKey } from '../find.ts'
import { parseKeyReference } from '../key-reference.ts'
import { ensureManagedKey } from '../managed.ts'
import { refuseUnsupported } from '../request.ts'
import { viewKey } from '../view.ts'

/** Asking for a key of AWS by its alias makes that key, so this is a call that may change something. */
export const describeKey = writeOperation<DescribeKeyRequest, DescribeKeyResponse>({
  service: 'kms',
  action: 'DescribeKey',
  demands: (input, context) => onKey('DescribeKey', input.KeyId, { ...context, input }),

  async run(call) {
    const { input, tx, now, randomBytes } = call
    refuseUnsupported(input)
    const here = hereOf(call)
    const reference = parseKeyReference(input.KeyId ?? '', here)
    const { accountId } = reference
    if (reference.kind === 'alias' && accountId === here.accountId) {
      const { name } = reference
      const maker = { now, randomBytes, sealer: call.readers.masterKey }
      if (isManagedAlias(name)) await ensureManagedKey(tx, here, name, maker)
    }
    return { KeyMetadata: viewKey(await requireKey(tx, call, 'DescribeKey', input.KeyId)) }
  },
})
