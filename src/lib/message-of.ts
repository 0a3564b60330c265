/** What a thrown thing says: whatever can be thrown, not errors alone. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
