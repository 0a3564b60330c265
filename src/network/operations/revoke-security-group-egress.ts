/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupEgress.html */
import type {
  RevokeSecurityGroupEgressRequest,
  RevokeSecurityGroupEgressResult,
} from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { revoke } from '../revoke.ts'

const isEgress = true

export const revokeSecurityGroupEgress = writeOperation<
  RevokeSecurityGroupEgressRequest,
  RevokeSecurityGroupEgressResult
>({
  action: 'RevokeSecurityGroupEgress',
  run: (call) => revoke(call, isEgress),
})
