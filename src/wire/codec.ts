/** The services that are spoken here, each by the schemas of its own and by its protocol. */
import { jsonProtocol, parseTarget } from './json-protocol.ts'
import { Model, type SchemaFile } from './model.ts'
import { queryProtocol } from './query-protocol.ts'
import { redactInput } from './redact.ts'
import type { HttpRequest } from './request.ts'
import { restProtocol } from './rest-protocol.ts'
import cloudtrail from './schemas/cloudtrail.json' with { type: 'json' }
import ebs from './schemas/ebs.json' with { type: 'json' }
import ec2 from './schemas/ec2.json' with { type: 'json' }
import iam from './schemas/iam.json' with { type: 'json' }
import kms from './schemas/kms.json' with { type: 'json' }
import organizations from './schemas/organizations.json' with { type: 'json' }
import rbin from './schemas/rbin.json' with { type: 'json' }
import ssm from './schemas/ssm.json' with { type: 'json' }
import sts from './schemas/sts.json' with { type: 'json' }
import type { Protocol, Service as AnyService } from './service.ts'

/** By the names that signatures have. */
const files = {
  ec2,
  sts,
  iam,
  ssm,
  organizations,
  rbin,
  ebs,
  kms,
  cloudtrail,
} as const satisfies Record<string, SchemaFile>

export type ServiceName = keyof typeof files
export type Service = AnyService<ServiceName>
export type Services = Readonly<Record<ServiceName, Service>>

const protocols = {
  ec2Query: queryProtocol,
  awsQuery: queryProtocol,
  'awsJson1.1': jsonProtocol,
  restJson1: restProtocol,
} satisfies Record<Model['protocol'], (model: Model) => Protocol>

/** Opens the schemas of a service. It takes some milliseconds; one for each process is enough. */
export function loadService(name: ServiceName): Service {
  const model = new Model(files[name])
  return {
    ...protocols[model.protocol](model),
    name,
    version: model.version,
    actions: model.actions,
    has: (action) => model.has(action),
    idempotencyMember: (action) =>
      model.input(action)?.members.find(({ isIdempotencyToken }) => isIdempotencyToken)?.name,
    redact: (action, input) => redactInput(model, action, input),
  }
}

export function loadServices(): Services {
  return {
    ec2: loadService('ec2'),
    sts: loadService('sts'),
    iam: loadService('iam'),
    ssm: loadService('ssm'),
    organizations: loadService('organizations'),
    rbin: loadService('rbin'),
    kms: loadService('kms'),
    ebs: loadService('ebs'),
    cloudtrail: loadService('cloudtrail'),
  }
}

export const isServiceName = (text: string): text is ServiceName => Object.hasOwn(files, text)

/**
 * Whom a request is meant for, as far as it says so itself: a refusal is written
 * in that service's words, before anything of the request is known to be true.
 */
export function addressee({ headers }: Pick<HttpRequest, 'headers'>): ServiceName {
  const [, scope = ''] =
    /Credential=[^/,\s]*\/[^/,\s]*\/[^/,\s]*\/([^/,\s]*)\//.exec(headers['authorization'] ?? '') ??
    []
  if (isServiceName(scope)) return scope
  const { prefix: target } = parseTarget(headers['x-amz-target'])
  const found = (Object.keys(files) as ServiceName[]).find((name) => files[name].service === target)
  return found ?? 'ec2'
}
