/**
 * What AWS does and does not tell, so that it was chosen here: each in one place, to be
 * changed when somebody finds out.
 */

/** Where a policy says what levels below may do with a part, that holds for all that is in the part too. */
export const allowanceHoldsBelow = true

/** The code of a refusal because a declarative policy says how a setting is. */
export const declaredCode = 'DeclarativePolicyViolation'

/** What is said with it where the policy has no message of its own. */
export const declaredMessage = 'This action is denied due to an organizational policy in effect.'

/** The codes of EC2 for reports on accounts: to who does not manage them, and of one in the wrong state. */
export const reportRefusedCode = 'OperationNotPermitted'
export const reportStateCode = 'IncorrectState'
