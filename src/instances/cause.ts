/**
 * Why an instance is in the state it is in, as EC2 tells it: a code with a
 * message, and a line about the last change. The three ways to tell it all come
 * from here.
 */
import { isKeyTrouble, keyTroubleCode } from '../kms/key-trouble.ts'

export interface StateReason {
  readonly code: string
  readonly message: string
}

export interface Cause {
  readonly reason: StateReason | undefined
  /** `StateTransitionReason`: empty where there is nothing to say. */
  readonly transition: string
}

/** All is as it should be: what a running instance has. */
export const noCause: Cause = { reason: undefined, transition: '' }

/** On its way up. */
export const launching: Cause = {
  reason: { code: 'pending', message: 'pending' },
  transition: '',
}

/** A caller stopped or terminated it. */
export function userInitiated(at: Date): Cause {
  const time = at.toISOString().slice(0, 19).replace('T', ' ')
  return {
    reason: {
      code: 'Client.UserInitiatedShutdown',
      message: 'Client.UserInitiatedShutdown: User initiated shutdown',
    },
    transition: `User initiated (${time} GMT)`,
  }
}

/** Its own system powered it off. */
export const instanceInitiated: Cause = {
  reason: {
    code: 'Client.InstanceInitiatedShutdown',
    message: 'Client.InstanceInitiatedShutdown: Instance initiated shutdown',
  },
  transition: '',
}

/** A disk of it cannot be opened: `message` says with which key, and why not. */
function clientError(code: string, message: string): Cause {
  return { reason: { code, message: `${code}: ${message}` }, transition: code }
}

/** It could not be started, or its machine is gone: `message` says what happened. */
export function serverError(message: string): Cause {
  if (isKeyTrouble(message)) return clientError(keyTroubleCode, message)
  return {
    reason: { code: 'Server.InternalError', message: `Server.InternalError: ${message}` },
    transition: 'Server.InternalError',
  }
}
