/** What nobody has seen AWS do with events: each guess once, by a name. */

/** The result of an `attachVolume` that worked. Only the failed one is documented. */
export const attachedResult = 'attached'

/** Whether those are told of an image's change with whom it is shared by their account. */
export const tellsSharees = true

/** What is told of an image that goes into the Recycle Bin. */
export const recycledImageState = 'deregistered'

/** Why a copy took longer than it was asked to: AWS's own word for the one cause that it documents is of a quota. */
export const lateCopyCause = 'Snapshot copy was not able to meet the specified completion duration.'
