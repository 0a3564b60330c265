/**
 * How an instance may reach its metadata service, and what comes of a request
 * to change that. What the request leaves open stays as it was.
 */
import { invalidParameterValue } from '../lib/errors.ts'

export interface MetadataOptions {
  /** `required`: version 2 only, every read needs a token. */
  readonly httpTokens: 'optional' | 'required'
  readonly httpEndpoint: 'enabled' | 'disabled'
  /** The IP time-to-live of the reply that carries a token. */
  readonly httpPutResponseHopLimit: number
  readonly httpProtocolIpv6: 'enabled' | 'disabled'
  readonly instanceMetadataTags: 'enabled' | 'disabled'
}

/** As callers write them, in `RunInstances` and in `ModifyInstanceMetadataOptions`. */
export interface MetadataOptionsRequest {
  readonly HttpTokens?: string | undefined
  readonly HttpEndpoint?: string | undefined
  readonly HttpPutResponseHopLimit?: number | undefined
  readonly HttpProtocolIpv6?: string | undefined
  readonly InstanceMetadataTags?: string | undefined
}

const hopLimitMax = 64

/** What an instance gets without a word: an image may ask for version 2 of the service. */
export function defaultMetadataOptions(image: {
  readonly imdsSupport: string | undefined
}): MetadataOptions {
  const isVersion2 = image.imdsSupport === 'v2.0'
  return {
    httpTokens: isVersion2 ? 'required' : 'optional',
    httpEndpoint: 'enabled',
    httpPutResponseHopLimit: isVersion2 ? 2 : 1,
    httpProtocolIpv6: 'disabled',
    instanceMetadataTags: 'disabled',
  }
}

/** `options` with the changes that are asked for. */
export function withMetadataOptions(
  options: MetadataOptions,
  request: MetadataOptionsRequest | undefined,
): MetadataOptions {
  if (!request) return options
  const hopLimit = request.HttpPutResponseHopLimit
  if (hopLimit !== undefined && !(hopLimit >= 1 && hopLimit <= hopLimitMax)) {
    throw invalidParameterValue(
      'HttpPutResponseHopLimit',
      String(hopLimit),
      `It must be between 1 and ${hopLimitMax}.`,
    )
  }
  const { HttpTokens, HttpEndpoint, HttpProtocolIpv6, InstanceMetadataTags } = request
  return {
    httpTokens: oneOf('HttpTokens', HttpTokens, ['optional', 'required']) ?? options.httpTokens,
    httpEndpoint: oneOf('HttpEndpoint', HttpEndpoint, onOff) ?? options.httpEndpoint,
    httpPutResponseHopLimit: hopLimit ?? options.httpPutResponseHopLimit,
    httpProtocolIpv6:
      oneOf('HttpProtocolIpv6', HttpProtocolIpv6, onOff) ?? options.httpProtocolIpv6,
    instanceMetadataTags:
      oneOf('InstanceMetadataTags', InstanceMetadataTags, onOff) ?? options.instanceMetadataTags,
  }
}

const onOff = ['enabled', 'disabled'] as const

function oneOf<const Choice extends string>(
  name: string,
  value: string | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  if (value === undefined) return undefined
  const found = choices.find((choice) => choice === value)
  if (found) return found
  throw invalidParameterValue(name, value, `It must be one of: ${choices.join(', ')}.`)
}
