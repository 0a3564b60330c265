/** A change of state as the database has noted it, before anybody was told. */

export type ChangeKind =
  | 'image'
  | 'snapshot'
  | 'volume'
  | 'attachment'
  | 'modification'
  | 'instance'
  | 'share'
  | 'fast-launch'
  | 'tier'
  | 'fast-restore'
  | 'public-access'

export interface StateChange {
  readonly sequence: number
  readonly kind: ChangeKind
  readonly resourceId: string
  /** Who is told first of all. */
  readonly accountId: string
  readonly region: string
  readonly state: string
  readonly facts: Readonly<Record<string, string | number | null>>
  readonly at: Date
}

type Fact = StateChange['facts'][string] | undefined

export const textOf = (fact: Fact): string => String(fact ?? '')

/** Of a fact in milliseconds. */
export const timeIn = (fact: Fact): Date => new Date(Number(fact))
