/** Guests as a user without any privilege, on a host whose /dev/net/tun anybody may open. */
import assert from 'node:assert/strict'
import { chown, link, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runProgram } from './guest.ts'
import { starterDisk } from './starter-disks.ts'

const uid = 54_321

const host = `
set -e; folder=$1; shift
mknod "$folder/tun" c 10 200; chmod 666 "$folder/tun"; mount --bind "$folder/tun" /dev/net/tun
# OpenSSH runs for users with a name only.
{ cat /etc/passwd; echo 'ordinary:x:${uid}:${uid}::/:/bin/sh'; } >"$folder/passwd"
mount --bind "$folder/passwd" /etc/passwd
exec setpriv --reuid ${uid} --regid ${uid} --clear-groups "$@"`

test(
  'an ordinary user runs machines and logs in to them',
  { skip: process.getuid?.() === 0 ? false : 'all of these tests run as one' },
  async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'imago-user-'))
    context.after(() => rm(folder, { recursive: true }))
    // What root has baked need not be baked again.
    const disk = await starterDisk('tiny')
    const cache = join(folder, `imago-test-cache-${uid}`)
    await mkdir(cache)
    await link(disk, join(cache, basename(disk)))
    await chown(folder, uid, uid)
    await chown(cache, uid, uid)
    const story = fileURLToPath(new URL('boot-modes.test.ts', import.meta.url))
    const { code, stdout, stderr } = await runProgram(
      'unshare',
      ['--mount', 'sh', '-c', host, '-', folder, process.execPath, '--test', story],
      { env: { PATH: process.env['PATH'], HOME: folder, TMPDIR: folder }, cwd: folder },
    )
    assert.equal(code, 0, stdout + stderr)
  },
)
