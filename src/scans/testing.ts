/** For tests: what the databases of packages look like. */

/** A paragraph of dpkg's, of a package that is installed. */
export function dpkgParagraph(name: string, version: string, source?: string): string {
  const fields = [
    `Package: ${name}`,
    'Status: install ok installed',
    'Priority: optional',
    'Architecture: amd64',
    ...(source === undefined ? [] : [`Source: ${source}`]),
    `Version: ${version}`,
    'Description: a package',
    ' Version: 9',
    ' .',
    ' and so on',
  ]
  return `${fields.join('\n')}\n`
}

export const debianRelease =
  'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n'

/** A record of OSV of one vulnerability in one package of Debian 12. */
export function osvRecord(
  number: number,
  name: string,
  {
    fixed,
    vector,
    modified = '2026-01-01T00:00:00Z',
    ...others
  }: {
    readonly fixed?: string
    readonly vector?: string
    readonly modified?: string
    readonly withdrawn?: string
  } = {},
): object {
  const events = [{ introduced: '0' }, ...(fixed === undefined ? [] : [{ fixed }])]
  return {
    id: `DEBIAN-CVE-2026-${1000 + number}`,
    modified,
    upstream: [`CVE-2026-${1000 + number}`],
    ...(vector && { severity: [{ type: 'CVSS_V3', score: vector }] }),
    affected: [
      { package: { ecosystem: 'Debian:12', name }, ranges: [{ type: 'ECOSYSTEM', events }] },
    ],
    ...others,
  }
}

/** Vectors of a score each. */
export const vectors = {
  critical: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  high: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
  low: 'CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N',
} as const
