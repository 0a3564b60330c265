/** Rows for people and for spreadsheets. Nothing in a cell can act: neither in a terminal nor as a formula. */

type Row = readonly string[]

/** What a terminal would obey. */
const controls = /\p{Cc}/gu

export function tableOf(titles: Row, rows: readonly Row[]): string {
  const all = [titles, ...rows].map((row) => row.map((cell) => cell.replace(controls, '?')))
  const widths = titles.map((_, column) =>
    Math.max(...all.map((row) => (row[column] ?? '').length)),
  )
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** RFC 4180; what a spreadsheet would take for a formula has an apostrophe before it. */
export function csvOf(titles: Row, rows: readonly Row[]): string {
  const cell = (text: string) => {
    const safe = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text
    return `"${safe.replaceAll('"', '""')}"`
  }
  return [titles, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')
}
