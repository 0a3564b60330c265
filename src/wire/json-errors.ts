/**
 * What goes wrong on the way to every operation is told in the words of EC2
 * elsewhere; the services that speak JSON have others for the same.
 */
import type { ApiError, ErrorCode } from '../lib/errors.ts'
import type { Model } from './model.ts'

const words: Partial<Record<ErrorCode, string>> = {
  AuthFailure: 'InvalidSignatureException',
  ExpiredToken: 'ExpiredTokenException',
  IdempotentParameterMismatch: 'IdempotentParameterMismatch',
  IncompleteSignature: 'IncompleteSignatureException',
  InvalidClientTokenId: 'UnrecognizedClientException',
  InvalidParameterValue: 'ValidationException',
  MalformedQueryString: 'SerializationException',
  MissingAuthenticationToken: 'MissingAuthenticationTokenException',
  MissingParameter: 'ValidationException',
  RequestEntityTooLarge: 'RequestEntityTooLargeException',
  RequestExpired: 'InvalidSignatureException',
  ServiceUnavailable: 'ServiceUnavailableException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  UnauthorizedOperation: 'AccessDeniedException',
  UnsupportedOperation: 'UnsupportedOperationException',
}

/** Each has a word of its own for what is not the caller's fault, and for a token of no page. */
const ownWords: Readonly<Record<string, Partial<Record<ErrorCode, string>>>> = {
  AmazonSSM: { InternalError: 'InternalServerError', TagLimitExceeded: 'TooManyTagsError' },
  AWSOrganizationsV20161128: {
    InternalError: 'ServiceException',
    InvalidNextToken: 'InvalidInputException',
  },
  CloudTrail_20131101: { InternalError: 'InternalServerError' },
  TrentService: {
    DryRunOperation: 'DryRunOperationException',
    InternalError: 'KMSInternalException',
    InvalidNextToken: 'InvalidMarkerException',
  },
  AmazonRecycleBin: {
    InternalError: 'InternalServerException',
    InvalidNextToken: 'ValidationException',
    TagLimitExceeded: 'ServiceQuotaExceededException',
  },
  Ebs: {
    IdempotentParameterMismatch: 'ConflictException',
    InternalError: 'InternalServerException',
    InvalidNextToken: 'ValidationException',
    TagLimitExceeded: 'ValidationException',
    Unavailable: 'InternalServerException',
  },
}

/** Two services say more exactly what is not valid. */
const reasons: Partial<Record<ErrorCode, string>> = {
  InvalidNextToken: 'INVALID_PAGE_TOKEN',
  InvalidParameterValue: 'INVALID_PARAMETER_VALUE',
  MissingParameter: 'INVALID_PARAMETER_VALUE',
}
const reasonsOf: Readonly<Record<string, Partial<Record<ErrorCode, string>>>> = {
  AmazonRecycleBin: reasons,
  Ebs: {
    ...reasons,
    TagLimitExceeded: 'INVALID_TAG',
    UnauthorizedOperation: 'UNAUTHORIZED_ACCOUNT',
    ValidationException: 'INVALID_PARAMETER_VALUE',
  },
}

export function inJsonWords(
  { service }: Model,
  { code, message, reason }: ApiError,
): { readonly code: string; readonly message: string; readonly reason: string | undefined } {
  return {
    code: ownWords[service]?.[code] ?? words[code] ?? code,
    message,
    reason: reason ?? reasonsOf[service]?.[code],
  }
}
