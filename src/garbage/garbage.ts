/** What a garbage collection has done. They are numbered by how many were asked for before. */
export interface Collection {
  readonly number: number
  readonly at: Date
  readonly manifestsDeleted: number
  readonly blocksDeleted: number
  readonly bytesFreed: number
  readonly basesDeleted: number
  /** Why it was given up; what it did before that is not counted. */
  readonly problem?: string
}

export function parseCollection(text: string): Collection {
  const read = JSON.parse(text) as Collection & { at: string }
  return { ...read, at: new Date(read.at) }
}
