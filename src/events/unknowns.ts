/** What nobody has seen AWS do with events: each guess once, by a name. */

/** The result of an `attachVolume` that worked. Only the failed one is documented. */
export const attachedResult = 'attached'

/** Whether those are told of an image's change with whom it is shared by their account. */
export const tellsSharees = true

/** What is told of an image that goes into the Recycle Bin. */
export const recycledImageState = 'deregistered'
