/**
 * What the service may call on behalf of a caller: every public address, and what the
 * operator lists. Invariant: the host itself, its networks and the metadata services of
 * clouds are called only where they are listed.
 */
import { BlockList, isIP } from 'node:net'

export interface OutboundRules {
  /** Every address that is public, on ports 80 and 443 and those above 1023. */
  readonly isPublicAllowed: boolean
  readonly listed: readonly Listed[]
}

/** A host by its name (`*.example.com` for all below it), or a network of addresses. */
type Listed = { readonly port: number | undefined } & (
  | { readonly name: string }
  | { readonly network: BlockList }
)

export const publicOnly: OutboundRules = { isPublicAllowed: true, listed: [] }

/** What is no public address: https://www.iana.org/assignments/iana-ipv4-special-registry */
const specialIpv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]
/** Of 2000::/3, which is all that is public: what leads to IPv4 by another way, and what is for books. */
const specialIpv6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const blocked = networkOf([...specialIpv4, ...specialIpv6])
const globalIpv6 = networkOf(['2000::/3'])

/** The address of IPv4 where it is written as one of IPv6, as resolvers may. */
function plain(address: string): { readonly address: string; readonly family: 'ipv4' | 'ipv6' } {
  const bare = address.replace(/%.*$/, '')
  if (isIP(bare) === 4) return { address: bare, family: 'ipv4' }
  return { address: bare, family: 'ipv6' }
}

export function isPublic(text: string): boolean {
  const { address, family } = plain(text)
  if (isIP(address) === 0) return false
  if (blocked.check(address, family)) return false
  return family === 'ipv4' || globalIpv6.check(address, family)
}

/** Whether a connection may be made to `address`, which `host` has turned out to be. */
export function mayConnect(
  rules: OutboundRules,
  {
    host,
    address,
    port,
  }: { readonly host: string; readonly address: string; readonly port: number },
): boolean {
  if (isListed(rules, { host, address, port })) return true
  const isUsualPort = port === 80 || port === 443 || port > 1023
  return rules.isPublicAllowed && isUsualPort && isPublic(address)
}

export function isListed(
  { listed }: OutboundRules,
  {
    host,
    address,
    port,
  }: { readonly host: string; readonly address?: string; readonly port: number },
): boolean {
  return listed.some((one) => {
    if (one.port !== undefined && one.port !== port) return false
    if ('name' in one) return isNamed(host.toLowerCase().replace(/\.$/, ''), one.name)
    if (address === undefined) return false
    const { address: bare, family } = plain(address)
    return isIP(bare) !== 0 && one.network.check(bare, family)
  })
}

const isNamed = (host: string, name: string): boolean =>
  name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name

/** `public`, or `none`, or hosts and networks with commas between. Throws a word that cannot be one. */
export function parseOutboundRules(text: string): OutboundRules | { readonly bad: string } {
  const words = text.split(',').map((word) => word.trim().toLowerCase())
  const listed: Listed[] = []
  let isPublicAllowed = false
  for (const word of words) {
    if (word === 'public') isPublicAllowed = true
    else if (word !== 'none' || words.length > 1) {
      const one = parseListed(word)
      if (!one) return { bad: word }
      listed.push(one)
    }
  }
  return { isPublicAllowed, listed }
}

function parseListed(word: string): Listed | undefined {
  const [, inBrackets, bare, digits] =
    /^(?:\[([0-9a-f:./]+)\]|([^[\]]+?))(?::(\d{1,5}))?$/.exec(
      splitsAsIpv6(word) ? `[${word}]` : word,
    ) ?? []
  const host = inBrackets ?? bare ?? ''
  const port = digits === undefined ? undefined : Number(digits)
  if (port !== undefined && !(port >= 1 && port <= 65535)) return undefined
  if (isNetwork(host)) return { network: networkOf([host]), port }
  if (/^(\*\.)?[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?$/.test(host) && !/^[\d.]+$/.test(host))
    return { name: host, port }
  return undefined
}

/** `::1` and `fd00::/8` have colons and no port. */
const splitsAsIpv6 = (word: string): boolean => isIP(word.split('/')[0] ?? '') === 6

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  if (bits === undefined) return true
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
}

function networkOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const version = isIP(address)
    const family = version === 4 ? 'ipv4' : 'ipv6'
    list.addSubnet(address, Number(bits ?? (version === 4 ? 32 : 128)), family)
  }
  return list
}
