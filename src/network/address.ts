/** IPv4 addresses and ranges as EC2 writes them. */
import { isIPv4, isIPv6 } from 'node:net'

export interface AddressRange {
  readonly first: number
  readonly last: number
}

export function numberOfAddress(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

export function textOfAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
}

/** The range of a CIDR that is known to be one. */
export function parseRange(cidr: string): AddressRange {
  const [address = '', bits = '32'] = cidr.split('/')
  const size = 2 ** (32 - Number(bits))
  const first = Math.floor(numberOfAddress(address) / size) * size
  return { first, last: first + size - 1 }
}

export function addressesIn(cidr: string): number {
  const { first, last } = parseRange(cidr)
  return last - first + 1
}

export function isInRange(cidr: string, address: string): boolean {
  const { first, last } = parseRange(cidr)
  const number = numberOfAddress(address)
  return number >= first && number <= last
}

/** The CIDR with its host bits cleared, as EC2 keeps it; nothing where it is none. */
export function canonicalIpv4Cidr(text: string): string | undefined {
  const { address, bits } = splitCidr(text, 32)
  if (bits === undefined || !isIPv4(address)) return undefined
  return `${textOfAddress(parseRange(`${address}/${bits}`).first)}/${bits}`
}

/** The same for IPv6: eight groups are masked, and the longest run of zeroes is written `::`. */
export function canonicalIpv6Cidr(text: string): string | undefined {
  const { address, bits } = splitCidr(text, 128)
  if (bits === undefined || !isIPv6(address) || address.includes('%')) return undefined
  const groups = ipv6Groups(address).map((group, index) => {
    const kept = Math.min(16, Math.max(0, bits - index * 16))
    return group & (0xffff << (16 - kept)) & 0xffff
  })
  const url = new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`)
  return `${url.hostname.slice(1, -1)}/${bits}`
}

function ipv6Groups(address: string): readonly number[] {
  // A URL's host is the address with one `::` at most, and no dotted tail.
  const { hostname } = new URL(`http://[${address}]`)
  const [head = '', tail] = hostname.slice(1, -1).split('::')
  const read = (part: string) =>
    part === '' ? [] : part.split(':').map((one) => parseInt(one, 16))
  if (tail === undefined) return read(head)
  const [before, after] = [read(head), read(tail)]
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function splitCidr(text: string, bitsMax: number) {
  const found = /^([0-9a-fA-F.:]+)\/(0|[1-9][0-9]{0,2})$/.exec(text)
  const bits = Number(found?.[2] ?? NaN)
  return { address: found?.[1] ?? '', bits: bits <= bitsMax ? bits : undefined }
}
