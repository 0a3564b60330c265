/** The names of an imported image's disks: as the call has them, or as AWS gives them out. */
import { checkDeviceName } from '../volumes/attachment.ts'
import { ApiError } from '../lib/errors.ts'

interface Named {
  readonly deviceName?: string | undefined
}

const rootName = '/dev/sda1'

/** A name for each: the first is the root, and gets the usual name where the call gives none. */
export function deviceNamesOf(containers: readonly Named[]): readonly string[] {
  const taken = new Set(containers.map(({ deviceName }) => deviceName))
  const free = Array.from('bcdefghijklmnopqrstuvwxyz')
    .map((letter) => `/dev/sd${letter}`)
    .concat(Array.from('abc').map((letter) => `/dev/xvdb${letter}`))
    .filter((name) => !taken.has(name))
  return containers.map(
    ({ deviceName }, index) => deviceName ?? (index === 0 ? rootName : (free.shift() ?? '')),
  )
}

/** Refuses names that are no disk's, or one twice. */
export function checkDeviceNames(containers: readonly Named[]): void {
  const names = deviceNamesOf(containers)
  for (const name of names) checkDeviceName(name)
  const bare = new Set(names.map((name) => name.replace(/^\/dev\//, '')))
  if (bare.size === names.length) return
  throw new ApiError(
    'InvalidBlockDeviceMapping.Duplicate',
    'Two of the disk containers have the same DeviceName.',
  )
}
