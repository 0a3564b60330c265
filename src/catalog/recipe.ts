/**
 * The starter images that can be baked here, and what has to be said of each when it is registered.
 * The recipes themselves are the folders of `catalog/`.
 */
export const recipeNames = ['tiny', 'debian-12'] as const
export type RecipeName = (typeof recipeNames)[number]

export type Recipe = {
  readonly name: RecipeName
  readonly description: string
  readonly architecture: 'x86_64'
  /** Who logs in over SSH with the instance's key pair. */
  readonly user: string
  readonly diskGiB: number
  readonly rootDeviceName: string
  readonly bootMode: 'legacy-bios' | 'uefi' | 'uefi-preferred'
}

export const recipes = {
  tiny: {
    name: 'tiny',
    description: "Tiny Linux: the host distribution's kernel, busybox and dropbear",
    architecture: 'x86_64',
    user: 'root',
    diskGiB: 1,
    rootDeviceName: '/dev/xvda',
    bootMode: 'uefi-preferred',
  },
  'debian-12': {
    name: 'debian-12',
    description: 'Debian 12 with systemd, cloud-init and OpenSSH',
    architecture: 'x86_64',
    user: 'admin',
    diskGiB: 2,
    rootDeviceName: '/dev/xvda',
    bootMode: 'uefi-preferred',
  },
} as const satisfies Record<RecipeName, Recipe>

export function isRecipeName(text: string): text is RecipeName {
  return recipeNames.some((name) => name === text)
}
