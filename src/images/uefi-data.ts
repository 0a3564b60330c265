/** The `UefiData` of images. What an owner hands in is kept as it came, once it is known that machines can use it. */
import { invalidParameterValue } from '../lib/errors.ts'
import { decodeUefiData, type Dictionary, encodeUefiData } from '../qemu/uefi-data.ts'
import { storedBytes } from '../qemu/uefi-store.ts'
import { UefiDataError, type UefiVariable } from '../qemu/uefi-variable.ts'
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

/** What an instance has, for an image: nothing where that is more than an image can have. */
export function imageUefiData(
  variables: readonly UefiVariable[],
  dictionary: Dictionary,
): string | undefined {
  if (storedBytes(variables) > uefiBytesMax) return undefined
  const data = encodeUefiData(variables, dictionary)
  return data.length > uefiDataMax ? undefined : data
}

const shownMax = 20

function shorten(text: string): string {
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}
