/**
 * What IAM refuses in the `Resource` of a policy when it is put, and in which words.
 * Names of services, accounts and Regions may be any: nobody asks whether they exist.
 */

const partitions = [
  '*',
  'aws',
  'aws-cn',
  'aws-us-gov',
  'aws-iso',
  'aws-iso-b',
  'aws-iso-e',
  'aws-iso-f',
  'aws-eusc',
]

const iamPaths = [
  'user/',
  'federated-user/',
  'role/',
  'group/',
  'instance-profile/',
  'mfa/',
  'server-certificate/',
  'policy/',
  'sms-mfa/',
  'saml-provider/',
  'oidc-provider/',
  'report/',
  'access-report/',
]

/** Why IAM does not take this resource, or nothing where it does. */
export function faultOfResource(resource: string): string | undefined {
  if (resource === '*') return undefined
  if (!resource.includes(':')) return `Resource ${resource} must be in ARN format or "*".`
  const [, partition = '', service, region, account, ...rest] = resource.split(':')
  if (!partitions.includes(partition)) return faultOfPartition(resource)
  if (service === undefined) {
    return 'Resource vendor must be fully qualified and cannot contain regexes.'
  }
  const path = rest.join(':')
  const hasRegion = region !== undefined && region !== '' && region !== '*'
  if (service === 's3' && hasRegion && !/^(accesspoint|storage-lens|job)/.test(path)) {
    return `Resource ${resource} can not contain region information.`
  }
  if (service !== 'iam') return undefined
  if (hasRegion) return `IAM resource ${resource} cannot contain region information.`
  const isWhole = account !== undefined && rest.length > 0
  if (!isWhole || path === '*' || iamPaths.some((start) => path.startsWith(start))) return undefined
  return `IAM resource path must either be "*" or start with ${iamPaths.join(', ')}.`
}

/** AWS shows the ARN with all of its parts, whatever it began with. */
function faultOfPartition(resource: string): string {
  const [partition = '', ...given] = resource.split(':').slice(1)
  const parts = [0, 1, 2].map((index) => given[index] ?? '*')
  const rest = given.length > 3 ? given.slice(3).join(':') : '*'
  if (given.length === 1 && given[0] === '') parts[0] = '*'
  const whole = ['arn', partition, ...parts, rest].join(':')
  return `Partition "${partition}" is not valid for resource "${whole}".`
}

/** Whether the parser that AWS keeps for old policies takes it: it counts colons. */
export function isLegacyResource(resource: string): boolean {
  if (resource === '*') return true
  const parts = resource.split(':')
  return (parts.length >= 6 || !resource.includes('::')) && parts[2] !== ''
}
