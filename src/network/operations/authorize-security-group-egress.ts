/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupEgress.html */
import type {
  AuthorizeSecurityGroupEgressRequest,
  AuthorizeSecurityGroupEgressResult,
} from '@aws-sdk/client-ec2'
import { writeOperation } from '../../wire/operation.ts'
import { authorize } from '../authorize.ts'

const isEgress = true

export const authorizeSecurityGroupEgress = writeOperation<
  AuthorizeSecurityGroupEgressRequest,
  AuthorizeSecurityGroupEgressResult
>({
  action: 'AuthorizeSecurityGroupEgress',
  run: (call) => authorize(call, isEgress),
})
