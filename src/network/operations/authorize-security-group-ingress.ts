/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html */
import type {
  AuthorizeSecurityGroupIngressRequest,
  AuthorizeSecurityGroupIngressResult,
} from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { authorize } from '../authorize.ts'

const isEgress = false

export const authorizeSecurityGroupIngress = writeOperation<
  AuthorizeSecurityGroupIngressRequest,
  AuthorizeSecurityGroupIngressResult
>({
  action: 'AuthorizeSecurityGroupIngress',
  run: (call) => authorize(call, isEgress),
})
