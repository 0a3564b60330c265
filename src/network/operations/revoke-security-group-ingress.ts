/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html */
import type {
  RevokeSecurityGroupIngressRequest,
  RevokeSecurityGroupIngressResult,
} from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { revoke } from '../revoke.ts'

const isEgress = false

export const revokeSecurityGroupIngress = writeOperation<
  RevokeSecurityGroupIngressRequest,
  RevokeSecurityGroupIngressResult
>({
  action: 'RevokeSecurityGroupIngress',
  run: (call) => revoke(call, isEgress),
})
