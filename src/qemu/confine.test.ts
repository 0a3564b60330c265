/** What a guest that has broken out of its QEMU finds: real machines, and programs beside them in the same walls. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { createVolume } from './layers.ts'
import { startMachine } from './start-machine.ts'
import { diskOf, machineOf, MiB, scratch } from './test-rig.ts'

const run = promisify(execFile)
const asUser = ['unshare', '--user', '--map-root-user', '--net']

/** A folder as an installation has it, with a machine that is held before its first instruction. */
async function breakInto(context: TestContext, enter: readonly string[]) {
  const folder = await scratch(context)
  for (const name of ['base.raw', 'other.raw', 'imago.db', 'master-key']) {
    await writeFile(join(folder, name), 'of the host')
  }
  const disks = ['own', 'other', 'later'].map((name) => diskOf(folder, name))
  const [own, other, later] = disks
  assert(own && other && later)
  await createVolume(own.folder, { sizeBytes: MiB, base: join(folder, 'base.raw') })
  await createVolume(other.folder, { sizeBytes: MiB, base: join(folder, 'other.raw') })
  await createVolume(later.folder, { sizeBytes: MiB, base: join(folder, 'other.raw') })
  await mkdir(join(folder, 'run2'))
  const machine = await startMachine({ ...machineOf(folder, [own]), enter, startsPaused: true })
  /** Runs a line of shell where QEMU is, as what QEMU is, and answers what it said. */
  const asQemu = async (line: string): Promise<string> => {
    const [ours, its] = await Promise.all(
      ['self', machine.pid].map((pid) => readlink(`/proc/${pid}/ns/user`)),
    )
    const user = ours === its ? [] : ['--user', '--preserve-credentials']
    const walls = ['--mount', '--pid', '--ipc', '--net', '--root', '--wd', ...user]
    const drop = ['setpriv', '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all']
    const command = [`--target=${machine.pid}`, ...walls, ...drop, 'sh', '-c', `{ ${line}; } 2>&1`]
    const said = await run('nsenter', command).catch((error: { stdout: string }) => error)
    return said.stdout.trim()
  }
  return { folder, machine, disks: { own, other, later }, asQemu }
}

for (const [who, enter] of [
  ['the user of the service', []],
  ['a namespace of users', asUser],
] as const) {
  test(`a machine of ${who} reaches its own files and no others`, async (context) => {
    const { folder, machine, disks, asQemu } = await breakInto(context, enter)
    const reads = (path: string) => asQemu(`head -c 3 ${path} | tail -c 2`)

    assert.equal(await reads(join(disks.own.folder, '1.qcow2')), 'FI')
    assert.equal(await reads(join(folder, 'base.raw')), 'f')
    for (const name of ['other/1.qcow2', 'other.raw', 'later/1.qcow2', 'imago.db', 'master-key']) {
      assert.match(await reads(join(folder, name)), /No such file/, name)
    }
    assert.match(await reads('/etc/shadow'), /No such file/)
    assert.match(await asQemu(`echo x >>${folder}/base.raw`), /Read-only file system/)
    assert.match(await asQemu('echo x >/usr/bin/new'), /Read-only file system/)
    assert.match(await asQemu('echo x >/new'), /Read-only file system/)
    assert.deepEqual((await asQemu(`ls ${folder}`)).split(/\s+/), ['base.raw', 'own', 'run'])

    await machine.plug(disks.later, { timeoutMs: 1 })
    assert.equal(await reads(join(disks.later.folder, '1.qcow2')), 'FI')
    assert.match(await reads(join(disks.other.folder, '1.qcow2')), /No such file/)
    await machine.plug(disks.later, { timeoutMs: 1 })
    assert.equal(await machine.unplug(disks.later, { timeoutMs: 1, isForced: true }), 'unplugged')
    assert.match(await reads(join(disks.later.folder, '1.qcow2')), /No such file/)
    await machine.kill()
  })

  test(`a machine of ${who} sees no other process, and has no rights`, async (context) => {
    const { machine, asQemu } = await breakInto(context, enter)

    const status = await readFile(`/proc/${machine.pid}/status`, 'utf8')
    for (const field of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      assert.match(status, new RegExp(`^${field}:\\s*0+$`, 'm'))
    }
    assert.match(status, /^NoNewPrivs:\s*1$/m)
    assert.match(status, /^Seccomp:\s*2$/m)
    assert.equal(await asQemu('ls /proc'), 'self')
    assert.match(await asQemu(`kill -0 ${process.pid}`), /No such process/)
    assert.match(await asQemu('mount -t tmpfs none /usr'), /permission denied|must be superuser/)
    assert.match(await asQemu('unshare --user true'), /Operation not permitted/)
    assert.match(await asQemu('chroot / true'), /Operation not permitted/)
    const environment = await readFile(`/proc/${machine.pid}/environ`, 'utf8')
    for (const name of environment.split('\0').map((one) => one.split('=')[0] ?? '')) {
      assert(['', 'LC_ALL', 'OLDPWD', 'PATH', 'PWD'].includes(name), name)
    }
    await machine.kill()
  })
}

test('what a guest that broke out leaves in its folders leads the service nowhere', async (context) => {
  const { folder, machine, disks } = await breakInto(context, [])
  await machine.kill()
  const secret = join(folder, 'master-key')
  const spec = { ...machineOf(folder, [disks.own]), startsPaused: true }

  await rm(join(folder, 'run/console.log'))
  await symlink(secret, join(folder, 'run/console.log'))
  await using again = await startMachine(spec)
  assert.equal(await readFile(secret, 'utf8'), 'of the host')
  await again.kill()

  const path = join(disks.own.folder, '1.qcow2')
  const header = await readFile(path)
  const name = header.toString('utf8', Number(header.readBigUInt64BE(8))).slice(0, 11)
  assert.equal(name, '../base.raw')
  header.write('/etc/passwd', Number(header.readBigUInt64BE(8)), 'utf8')
  await writeFile(path, header)
  await assert.rejects(startMachine(spec), /passwd: is no base/)
  await rm(path)
  await symlink(join(disks.other.folder, '1.qcow2'), path)
  await assert.rejects(startMachine(spec), /ELOOP/)
})
