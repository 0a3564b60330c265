/** What AWS does not say of its Key Management Service: each guess once, by a name. */

/** The code for an alias that begins with `alias/aws/`: not in the reference, but tools expect it. */
export const reservedAliasCode = 'NotAuthorizedException'

/** How long an encryption context may be. The reference has no number. */
export const contextBytesMax = 8192

/** How long a description may be: the reference's number counts characters. */
export const descriptionLengthMax = 8192
