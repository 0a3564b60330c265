/** What the checker finds: something that must not be, and what it is about. */
export interface Finding {
  /** An id or a file. */
  readonly about: string
  /** A sentence without its subject, such as `is there, and no volume has it`. */
  readonly what: string
}
