/** A key of KMS that a disk needs and that is not to be used now: how callers hear of it. */

/** The code of the state reason of an instance whose disk cannot be opened. */
export const keyTroubleCode = 'Client.InvalidKMSKey.InvalidState'

const words = 'The KMS key provided is in an incorrect state'

/** Why a disk cannot be opened, as EC2 says it of an instance, a volume or a snapshot. */
export class KeyUnusable extends Error {
  override readonly name = 'KeyUnusable'
  readonly code = keyTroubleCode
  readonly arn: string

  constructor(arn: string, why: string) {
    super(`${words}: ${arn} ${why}`)
    this.arn = arn
  }
}

/** Whether that is what an error is about. */
export const isKeyUnusable = (error: unknown): boolean =>
  error instanceof KeyUnusable || (error instanceof Error && isKeyUnusable(error.cause))

/** Of what a row keeps of a `KeyUnusable` which key it is and what is wrong with it; any other text as it is. */
export const troubleOf = (message: string): string => message.replace(`${words}: `, '')

/** Tells a `KeyUnusable` by what a row keeps of it. */
export const isKeyTrouble = (message: string): boolean => message.includes(words)
