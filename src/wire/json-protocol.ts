/**
 * awsJson1.1: a header says which action is meant, and both bodies are JSON.
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
import { ApiError } from '../lib/errors.ts'
import { checkNothingMissing, decodeBody } from './json-decode.ts'
import { encodeOutput } from './json-encode.ts'
import { inJsonWords } from './json-errors.ts'
import type { Model } from './model.ts'
import type { HttpResponse } from './request.ts'
import { type Protocol, textOf } from './service.ts'

export function jsonProtocol(model: Model): Protocol {
  return {
    read(request) {
      const { prefix, action } = parseTarget(request.headers['x-amz-target'])
      const isKnown = prefix === model.service && model.has(action)
      const decode = () => {
        if (!isKnown || request.method !== 'POST') {
          throw new ApiError('UnknownOperationException', 'The operation is not known.')
        }
        const input = decodeBody(model, action, request.body)
        checkNothingMissing(model, action, input)
        return input
      }
      return { action, decode }
    },
    encode: (action, _requestId, output) => encodeOutput(model, action, output),
    respond: (_action, requestId, reply) => jsonResponse(200, requestId, textOf(reply)),
    refuse(requestId, error) {
      const { code, message, reason } = inJsonWords(model, error)
      const body = JSON.stringify({ __type: code, message, Reason: reason })
      // What is the caller's fault has one status, whatever it is.
      return jsonResponse(error.status >= 500 ? 500 : 400, requestId, body)
    },
  }
}

/**
 * Which action of which service a target names. Some clients put the package of CloudTrail
 * before it: `com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents`.
 */
export function parseTarget(target = ''): { readonly prefix: string; readonly action: string } {
  const [, prefix = '', action = ''] =
    /^(?:com\.amazonaws\.cloudtrail\.v20131101\.)?([^.]*)\.([^.]*)$/.exec(target) ?? []
  return { prefix, action }
}

function jsonResponse(status: number, requestId: string, body: string): HttpResponse {
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': requestId,
    'cache-control': 'no-cache, no-store',
  }
  return { status, headers, body }
}
