/** Whose something is, and where: nearly all that a call names belongs to one account in one Region. */
export interface Owner {
  readonly accountId: string
  readonly region: string
}
