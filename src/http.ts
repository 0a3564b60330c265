/** The HTTP server: reads a request whole, hands it to whom it is for, and writes the answer. */
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { EventStreams } from './event-stream.ts'
import { answerExtension } from './extension-pipeline.ts'
import { openFilesMax } from './config.ts'
import { extensions } from './extensions.ts'
import { release } from './block-store/release.ts'
import { ApiError } from './lib/errors.ts'
import { answer, type System } from './pipeline.ts'
import type { Certificate } from './tls/certificate.ts'
import { addressee } from './wire/codec.ts'
import { ConnectionGuard } from './wire/connection-guard.ts'
import { BodyTooLong, readBody } from './wire/read-body.ts'
import type { HttpRequest } from './wire/request.ts'

/** Slow clients do not keep others out: what is not whole by then is let go. */
export const limits = {
  maxHeaderSize: 32 * 1024,
  headersTimeout: 20_000,
  requestTimeout: 60_000,
  // A client keeps its connection; one that says nothing for long does not.
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5000,
}
const handshakeTimeout = 10_000
/** Who does not take his answer. */
export const silenceMsMax = 120_000
const connectionsMax = 2000
const waitingBytesMax = 256 * 1024 * 1024

/** AWS does not say its own limit; user data of 16 KiB and a thousand long filters fit in. */
const bodyBytesMax = 1024 * 1024

/** Speaks TLS where there is a certificate. */
export function createApiServer(
  system: System,
  certificate: Certificate | undefined,
  vpcOf: (connection: Socket) => string | undefined,
): FastifyInstance {
  const read = (request: Requested) => readRequest(request, vpcOf(request.raw.socket))
  const server = Fastify({
    serverFactory: (handler) => {
      if (!certificate) return createHttpServer(limits, handler)
      const { certificate: cert, key } = certificate
      const tls = { cert, key, minVersion: 'TLSv1.2', handshakeTimeout } as const
      return createHttpsServer({ ...limits, ...tls }, handler)
    },
    bodyLimit: bodyBytesMax,
    logger: false,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
  })
  const guard = new ConnectionGuard({
    // The other half is for files.
    connectionsMax: Math.min(connectionsMax, Math.floor(openFilesMax() / 2)),
    bodyBytesMax: waitingBytesMax,
  })
  guard.watch(server.server)
  server.server.setTimeout(silenceMsMax)
  server.removeAllContentTypeParsers()
  // A signature covers the bytes, so nothing may touch them before.
  server.addContentTypeParser('*', (request: FastifyRequest) => {
    guard.reading(request.raw)
    return readBody(request.raw, bodyBytesMax)
  })
  server.addHook('preHandler', (request, reply, done) => {
    guard.answering(request.raw, reply.raw)
    done()
  })
  server.route({
    // What the path means is for the protocol of the service to say.
    method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/*',
    handler: async (request, reply) => {
      const { status, headers, body } = await answer(read(request), system)
      // Nobody else has it, and to wait until it is collected costs more.
      if (typeof body !== 'string') reply.raw.once('finish', () => release(body))
      return reply.code(status).headers(headers).send(body)
    },
  })
  const streams = new EventStreams()
  server.get('/imago/v1/events', async (request, reply) => {
    reply.hijack()
    await streams.serve(read(request), reply.raw, system)
  })
  for (const extension of extensions) {
    server.route<{ Params: Record<string, string> }>({
      method: extension.method,
      url: extension.path,
      handler: async (request, reply) => {
        const { status, headers, body } = await answerExtension(
          extension,
          read(request),
          request.params,
          system,
        )
        return reply.code(status).headers(headers).send(body)
      },
    })
  }
  server.setErrorHandler((error: { code?: string; statusCode?: number }, request, reply) => {
    const isTooLarge = error instanceof BodyTooLong
    // Whoever hangs up in the midst of a request could have us write a log without end.
    const isFault = error.code !== 'ECONNRESET' && (error.statusCode ?? 500) >= 500
    if (!isTooLarge && isFault) system.log.error('a connection failed', { error })
    const shown = isTooLarge
      ? new ApiError('RequestEntityTooLarge', `The request is longer than ${bodyBytesMax} bytes.`)
      : new ApiError('MalformedQueryString', 'The request could not be read.')
    const service = system.services[addressee(read(request))]
    const { status, headers, body } = service.refuse(system.newRequestId(), shown)
    return reply.code(status).headers(headers).send(body)
  })
  return server
}

type Requested = Pick<FastifyRequest, 'raw' | 'method' | 'body'>

function readRequest(request: Requested, vpcId: string | undefined): HttpRequest {
  const headers = Object.fromEntries(
    Object.entries(request.raw.headersDistinct).map(([name, values = []]) => [
      name,
      values.join(','),
    ]),
  )
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const { method, raw } = request
  const sourceAddress = raw.socket.remoteAddress
  const isTls = 'encrypted' in raw.socket
  return { method, target: raw.url ?? '/', headers, body, sourceAddress, isTls, vpcId }
}
