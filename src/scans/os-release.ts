/**
 * What an operating system says of itself in `/etc/os-release`.
 * https://www.freedesktop.org/software/systemd/man/latest/os-release.html
 */
import { type Ecosystem, parseEcosystem } from '../advisories/ecosystem.ts'

export interface System {
  /** Nothing where nobody publishes advisories that are read here. */
  readonly ecosystem: Ecosystem | undefined
  readonly name: string
}

const nameMax = 100

export function readOsRelease(text: string): System {
  const said = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line.trim()) ?? []
    if (name !== undefined && value !== undefined) said.set(name, unquote(value))
  }
  const [id = '', version = ''] = [said.get('ID'), said.get('VERSION_ID')]
  const name = said.get('PRETTY_NAME') || id || 'an unknown system'
  const shown = name.replaceAll(/\p{C}/gu, '').slice(0, nameMax)
  return { ecosystem: ecosystemOf(id, version), name: shown }
}

function ecosystemOf(id: string, version: string): Ecosystem | undefined {
  if (id === 'debian') return parseEcosystem(`Debian:${version}`)
  if (id === 'ubuntu') return parseEcosystem(`Ubuntu:${version}`)
  const [, release] = /^(\d+\.\d+)\.\d+$/.exec(version) ?? []
  return id === 'alpine' && release !== undefined ? parseEcosystem(`Alpine:v${release}`) : undefined
}

const unquote = (value: string): string =>
  /^(["']).*\1$/.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value
