/**
 * All of vpc.test.ts once more as a user without any privilege, on a host made for
 * it: a network namespace with an address outside, and a /dev/net/tun that anybody
 * may open, as it is on a stock system.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isPrivileged } from './namespace.ts'
import { toolEnvironment } from './run.ts'

const host = `
set -e; tun=$1/tun; shift
mknod "$tun" c 10 200; chmod 666 "$tun"; mount --bind "$tun" /dev/net/tun
ip link set lo up; ip link add outside0 type bridge; ip addr add 203.0.113.1/24 dev outside0
ip link set outside0 up
exec setpriv --reuid 54321 --regid 54321 --clear-groups "$@"`

test(
  'an ordinary user has the same network',
  { skip: isPrivileged() ? false : 'vpc.test.ts itself runs as one' },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'vpc-host-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const suite = fileURLToPath(new URL('vpc.test.ts', import.meta.url))
    const child = spawn(
      'unshare',
      ['--mount', '--net', 'sh', '-c', host, '-', folder, process.execPath, '--test', suite],
      { stdio: ['ignore', 'pipe', 'pipe'], env: toolEnvironment, cwd: '/' },
    )
    const [said, complained, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    assert.equal(code, 0, said + complained)
    assert.match(said, /skipped 0/, said)
    t.diagnostic(said)
  },
)
