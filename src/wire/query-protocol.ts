/**
 * The query protocols: a flat form that says `Action` and `Version`, and XML.
 * https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
 */
import { ApiError, type ErrorCode, missingParameter } from '../lib/errors.ts'
import { decodeInput } from './decode.ts'
import { encodeError, outputEncoder } from './encode.ts'
import type { Model } from './model.ts'
import { type Params, parseParams } from './params.ts'
import type { HttpResponse } from './request.ts'
import { type Protocol, textOf } from './service.ts'

export function queryProtocol(model: Model): Protocol {
  return {
    read(request) {
      const params = parseParams(request)
      const action = params.get('Action') ?? ''
      const decode = () => {
        checkAction(model, action, params)
        return decodeInput(model, action, params)
      }
      return { action, decode }
    },
    encode: outputEncoder(model),
    respond: (_action, requestId, reply) => xmlResponse(200, requestId, textOf(reply)),
    refuse(requestId, { status, code, message }) {
      const shown = model.protocol === 'awsQuery' ? (words[code] ?? code) : code
      return xmlResponse(status, requestId, encodeError(model, requestId, shown, message))
    },
  }
}

/** What goes wrong on the way to every operation has other names in IAM and STS than in EC2. */
const words: Partial<Record<ErrorCode, string>> = {
  InternalError: 'ServiceFailure',
  InvalidNextToken: 'ValidationError',
  InvalidParameterValue: 'ValidationError',
  MissingParameter: 'ValidationError',
  RequestLimitExceeded: 'Throttling',
  UnauthorizedOperation: 'AccessDenied',
  UnknownParameter: 'ValidationError',
}

function checkAction(model: Model, action: string, params: Params): void {
  if (action === '') {
    throw new ApiError('MissingAction', 'The request must contain the parameter Action')
  }
  const version = params.get('Version')
  if (!version) throw missingParameter('Version')
  if (version !== model.version) {
    throw new ApiError(
      'NoSuchVersion',
      `The requested version (${version}) of service ${model.service} does not exist`,
    )
  }
  if (!model.has(action)) {
    throw new ApiError('InvalidAction', `The action ${action} is not valid for this web service.`)
  }
}

function xmlResponse(status: number, requestId: string, body: string): HttpResponse {
  const headers = {
    'content-type': 'text/xml;charset=UTF-8',
    'x-amzn-requestid': requestId,
    'cache-control': 'no-cache, no-store',
  }
  return { status, headers, body }
}
