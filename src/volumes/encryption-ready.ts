/** Whether disks can be encrypted: until all that holds their content does it, a call that asks for it is refused. */
export const encryptionIsReady: boolean = false
