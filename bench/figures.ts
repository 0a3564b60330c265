/** Figures of several runs: their median and range, and tables of them in Markdown. */
import assert from 'node:assert/strict'

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const low = sorted[Math.floor(middle)]
  const high = sorted[Math.ceil(middle)]
  assert(low !== undefined && high !== undefined, 'a median of nothing')
  return (low + high) / 2
}

/** The value that so large a part of them does not exceed: of 100, the 99th for 0.99. */
export function quantile(values: readonly number[], part: number): number {
  const value = values.toSorted((a, b) => a - b)[Math.ceil(values.length * part) - 1]
  assert(value !== undefined, 'a quantile of nothing')
  return value
}

/** `5.1 (4.9 to 6.0)` */
export function spread(values: readonly number[]): string {
  if (values.length === 0) return '-'
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return `${short(median(values))} (${short(low)} to ${short(high)})`
}

/** How many times the first is of the second, by their medians. */
export function ratio(one: readonly number[], other: readonly number[]): string {
  if (one.length === 0 || other.length === 0) return '-'
  return `${short(median(one) / median(other))}×`
}

/** Three digits, and no more than it takes. */
export function short(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Prints a table whose first row names the columns. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const [head = []] = rows
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  console.log(line(head))
  console.log(`| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`)
  for (const row of rows.slice(1)) console.log(line(row))
  console.log()
}
