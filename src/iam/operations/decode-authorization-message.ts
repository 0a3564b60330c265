/**
 * Opens the encoded message of a refusal of the account: what was asked, and why not.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
 */
import type {
  DecodeAuthorizationMessageRequest,
  DecodeAuthorizationMessageResponse,
} from '@aws-sdk/client-sts'
import { decodeRefusal } from '../../policies/refusal.ts'
import { readOperation } from '../../wire/operation.ts'

export const decodeAuthorizationMessage = readOperation<
  DecodeAuthorizationMessageRequest,
  DecodeAuthorizationMessageResponse
>({
  service: 'sts',
  action: 'DecodeAuthorizationMessage',

  async run({ input, caller, readers }) {
    const { EncodedMessage = '' } = input
    return { DecodedMessage: decodeRefusal(EncodedMessage, caller, readers.masterKey) }
  },
})
