/** IPv4 addresses and CIDRs as numbers. Two CIDRs are nested or apart, never half over each other. */
import assert from 'node:assert/strict'
import { isIPv4 } from 'node:net'

export interface Cidr {
  /** The first address. */
  readonly base: number
  readonly bits: number
}

export function addressNumber(address: string): number {
  assert(isIPv4(address), `not an IPv4 address: ${address}`)
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')
}

export function parseCidr(text: string): Cidr {
  const [address = '', bitsText = '32'] = text.split('/')
  const bits = Number(bitsText)
  assert(Number.isInteger(bits) && bits >= 0 && bits <= 32, `not a CIDR: ${text}`)
  const size = 2 ** (32 - bits)
  return { base: Math.floor(addressNumber(address) / size) * size, bits }
}

export function cidrText(cidr: Cidr): string {
  return `${addressText(cidr.base)}/${cidr.bits}`
}

export function netmask(cidr: Cidr): string {
  return addressText(2 ** 32 - 2 ** (32 - cidr.bits))
}

export function contains(outer: Cidr, inner: Cidr): boolean {
  return (
    outer.bits <= inner.bits &&
    inner.base >= outer.base &&
    inner.base < outer.base + 2 ** (32 - outer.bits)
  )
}

export function overlaps(one: Cidr, other: Cidr): boolean {
  return contains(one, other) || contains(other, one)
}

/** The same addresses with no CIDR inside another, in order; IPv6 CIDRs are left out. */
export function withoutNested(texts: readonly string[]): readonly Cidr[] {
  const sorted = texts
    .filter((text) => !text.includes(':'))
    .map(parseCidr)
    .toSorted((one, other) => one.base - other.base || one.bits - other.bits)
  const kept: Cidr[] = []
  for (const cidr of sorted) {
    const last = kept.at(-1)
    if (last === undefined || !contains(last, cidr)) kept.push(cidr)
  }
  return kept
}
