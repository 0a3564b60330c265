/**
 * The walls around a machine. A guest that breaks out of its QEMU finds a root of its own, in which
 * there are the machine's folder, its disks and, read-only, the system's programs; no other
 * process; and no capability. All of it is made of namespaces of the process itself, ends with it,
 * and is the same for root and for an ordinary user.
 *
 * The root is a small file system in memory, in the machine's folder:
 *   root/content   what it is made of, where places for mounts are made
 *   root/view      the same read-only, with the mounts: what the process has as its root
 */
import { mkdir, readlink, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isPrivileged } from '../vpc/namespace.ts'
import { run } from '../vpc/run.ts'
import type { Chain } from './layers.ts'
import { machineFiles } from './machine-spec.ts'

/** A file or folder of the host that is to be seen inside, at the same path. */
export interface View {
  readonly path: string
  readonly isReadOnly?: boolean
}

interface Mount {
  readonly path: string
  readonly isFolder: boolean
  readonly options: string
}

const systemFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']
const linkerCache = '/etc/ld.so.cache'
const devices = ['null', 'zero', 'random', 'urandom', 'kvm', 'net/tun'].map(
  (name) => `/dev/${name}`,
)
/** Nothing in what is shown is run. */
const shown = 'bind,nosuid,nodev,noexec'

/**
 * The command that a program is put behind. `enter` leads to where it shall be, such as a network.
 * The file gets the number of the process and is locked while that lives, so that there is one.
 */
export async function confined(
  folder: string,
  options: {
    readonly enter: readonly string[]
    readonly views: readonly View[]
    readonly pidFile: string
    /** More for `unshare`. */
    readonly besides?: readonly string[]
  },
): Promise<readonly string[]> {
  const { enter, views, pidFile, besides = [] } = options
  await mkdir(rootOf(folder), { recursive: true })
  const mounts = await mountsOf([{ path: folder }, ...views])
  const user = enter.length === 0 && !isPrivileged() ? ['--user', '--map-root-user'] : []
  const namespaces = ['--mount', '--propagation', 'slave', '--pid', '--ipc', '--fork', ...besides]
  const script = await scriptFor(folder, pidFile, mounts)
  return [...enter, 'unshare', ...user, ...namespaces, 'sh', '-c', script, 'sh']
}

/** Builds the walls in the folder, and takes them down. Throws why they cannot be built. */
export async function tryWalls(folder: string): Promise<void> {
  const pidFile = join(folder, machineFiles.pid)
  await run([...(await confined(folder, { enter: [], views: [], pidFile })), 'true'])
}

/** What a machine has to see of a disk: all its layers, those to come too, and what they rest on. */
export function viewsOf({ layers, basePath, servedBase }: Chain): readonly View[] {
  const folders = layers.slice(0, 1).map(({ path }) => ({ path: dirname(path) }))
  const base = servedBase?.folder ?? basePath
  return base === undefined ? folders : [...folders, { path: base, isReadOnly: true }]
}

/** Shows more of the host to a program that runs; nothing happens where it has no walls. */
export async function show(pid: number, folder: string, views: readonly View[]): Promise<void> {
  for (const { path, isFolder, options } of await mountsOf(views)) {
    const make = isFolder ? 'mkdir -p "$1"' : 'mkdir -p "${1%/*}"; : >>"$1"'
    const mount = `mount -o ${options} "$2" "$3"`
    const script = `set -e; findmnt --mountpoint "$3" >/dev/null && exit; ${make}; ${mount}`
    const places = [`${rootOf(folder)}/content${path}`, path, `${viewOf(folder)}${path}`]
    await inside(pid, folder, [script, 'sh', ...places])
  }
}

/** Takes a folder away again that was shown. */
export async function hide(pid: number, folder: string, path: string): Promise<void> {
  const script = 'findmnt --mountpoint "$1" >/dev/null || exit 0; umount --lazy "$1"'
  await inside(pid, folder, [script, 'sh', `${viewOf(folder)}${path}`])
}

/** What a process has open, as it is named where it has no walls. */
export function nameOutside(path: string, root: string): string {
  return root !== '/' && path.startsWith(`${root}/`) ? path.slice(root.length) : path
}

const rootOf = (folder: string): string => join(folder, machineFiles.root)
const viewOf = (folder: string): string => join(rootOf(folder), 'view')

async function inside(pid: number, folder: string, script: readonly string[]): Promise<void> {
  // A machine that was started before there were walls has the mounts of the host.
  if ((await readlink(`/proc/${pid}/root`)) !== viewOf(folder)) return
  const own = await readlink('/proc/self/ns/user')
  const isOfUser = (await readlink(`/proc/${pid}/ns/user`)) !== own
  const user = isOfUser ? ['--user', '--preserve-credentials'] : []
  await run(['nsenter', `--target=${pid}`, '--mount', ...user, 'sh', '-c', ...script])
}

/** What is not there is left out: the program that looks for it says so best. */
async function mountsOf(views: readonly View[]): Promise<readonly Mount[]> {
  const mounts: Mount[] = []
  for (const { path, isReadOnly } of views) {
    const found = await stat(path).catch(() => undefined)
    const options = isReadOnly ? `${shown},ro` : shown
    if (found) mounts.push({ path, isFolder: found.isDirectory(), options })
  }
  return mounts
}

/** Programs and what they need, and devices. */
async function systemMounts(): Promise<readonly Mount[]> {
  const found = async (paths: readonly string[], options: string) =>
    (await mountsOf(paths.map((path) => ({ path })))).map((mount) => ({ ...mount, options }))
  return [
    ...(await found(systemFolders, '$bind,ro,nosuid,nodev')),
    ...(await found(devices, 'bind')),
    ...(await mountsOf([{ path: linkerCache, isReadOnly: true }])),
  ]
}

async function scriptFor(folder: string, pidFile: string, own: readonly Mount[]): Promise<string> {
  const all = [...(await systemMounts()), ...own]
  const view = viewOf(folder)
  const root = quoted(rootOf(folder))
  const folders = all.map(({ path, isFolder }) => `content${isFolder ? path : dirname(path)}`)
  const files = all.filter(({ isFolder }) => !isFolder).map(({ path }) => `content${path}`)
  const table = [
    `${escaped(join(rootOf(folder), 'content'))} ${escaped(view)} none ${shown},ro 0 0`,
    `/proc/$pid ${escaped(view)}/proc/self none bind 0 0`,
    ...all.map(({ path, options }) => {
      const place = escaped(path)
      return `${place} ${escaped(view)}${place} none ${options} 0 0`
    }),
  ]
  return [
    'set -e',
    `exec 9>>${quoted(pidFile)}`,
    'flock --nonblock 9 || { echo "the pid file is locked by another process" >&2; exit 1; }',
    // This /proc is still the one of the host, and so is the number.
    'read -r pid rest </proc/self/stat',
    `echo $pid >${quoted(pidFile)}`,
    // Who is not root of the host cannot take mounts apart, only have them as they are.
    'read -r from to count </proc/self/uid_map',
    'bind=rbind; [ $count != 4294967295 ] || bind=bind',
    `mount -t tmpfs -o mode=0700,size=1m,nosuid,nodev,noexec none ${root}`,
    `cd ${root}`,
    `mkdir -p view content/proc/self ${folders.map(quoted).join(' ')}`,
    ...files.map((path) => `: >${quoted(path)}`),
    `printf '%s\\n' ${table.map((line) => `"${line}"`).join(' ')} >table`,
    'mount --all --fstab "$PWD/table"',
    `exec unshare --root=view --wd=${quoted(folder)} setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"`,
  ].join('\n')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** As a table of mounts has it, and with nothing in it that means something to a shell. */
function escaped(path: string): string {
  return [...Buffer.from(path)]
    .map((byte) => {
      const letter = String.fromCharCode(byte)
      return /[\w./,:=+-]/.test(letter) ? letter : `\\${byte.toString(8).padStart(3, '0')}`
    })
    .join('')
}
