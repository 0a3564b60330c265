/** What an owner hands in as `UefiData`: it is kept as it came, once it is known that machines can use it. */
import { invalidParameterValue } from '../lib/errors.ts'
import { decodeUefiData, type Dictionary } from '../qemu/uefi-data.ts'
import { storedBytes } from '../qemu/uefi-store.ts'
import { UefiDataError } from '../qemu/uefi-variable.ts'
import { uefiBytesMax, uefiDataMax } from './unknowns.ts'

export function checkUefiData(data: string, dictionary: Dictionary): void {
  const refuse = (why: string) => invalidParameterValue('uefiData', shorten(data), why)
  if (data.length > uefiDataMax) throw refuse(`It is longer than ${uefiDataMax} characters.`)
  try {
    const bytes = storedBytes(decodeUefiData(data, dictionary))
    if (bytes > uefiBytesMax) throw refuse(`Its variables take more than ${uefiBytesMax} bytes.`)
  } catch (error) {
    if (error instanceof UefiDataError) throw refuse(`It cannot be used: ${error.message}.`)
    throw error
  }
}

const shownMax = 20

function shorten(text: string): string {
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}
