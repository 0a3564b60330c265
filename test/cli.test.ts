/** The command, as far as it goes without a guest. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { certificateFileIn, ensureCertificate } from '../src/tls/certificate.ts'
import { commandLine } from './command.ts'

/** One line for the person, and no stack. */
const oneLine = /^imago: [^\n]+\n$/

test('the service can be used while it bakes, closes at once when told to, and leaves all well', async (context) => {
  const imago = await commandLine(context)
  const service = imago.serve()
  await service.answers()

  const identity = await imago.run(['aws', 'sts', 'get-caller-identity', '--output', 'json'])
  assert.equal(identity.code, 0, identity.errors)
  assert.match(identity.output, /"Account": "123456789012"/)
  const secret = /secret_access_key = (.+)/.exec(
    await readFile(join(imago.dataFolder, 'credentials'), 'utf8'),
  )?.[1]
  assert(secret && !service.said().includes(secret))
  for (const name of ['credentials', 'imago.log']) {
    assert.equal((await stat(join(imago.dataFolder, name))).mode & 0o077, 0, name)
  }

  const user = await imago.run(['aws', 'iam', 'create-user', '--user-name', 'alice'])
  assert.match(user.output, /arn:aws:iam::123456789012:user\/alice/)
  const nobody = await imago.run(['aws', 'iam', 'get-user', '--user-name', 'bob'])
  assert.match(nobody.errors, /\(NoSuchEntity\) when calling the GetUser operation/)
  const ofName = 'AttributeKey=EventName,AttributeValue=CreateUser'
  const lookUp = ['aws', 'cloudtrail', 'lookup-events', '--lookup-attributes', ofName]
  const found = await imago.run([...lookUp, '--query', 'Events[].Resources[].ResourceName'])
  assert.match(found.output, /alice/, found.errors)
  const gone = await imago.run(['explain', '123456789012', 'RunInstances', 'ami-0123456789abcdef0'])
  assert.equal(gone.code, 1)
  assert.match(
    gone.output,
    /^hidden, by existence \(InvalidAMIID\.NotFound\): RunInstances of ami-/,
  )
  const odd = await imago.run(['explain', 'me', 'RunInstances', 'ami-0123456789abcdef0'])
  assert.match(odd.errors, oneLine)

  const made = await imago.run(['account', 'create', 'Web & more'])
  const [, dev = ''] = /^Made the account (\d{12}): Web & more$/m.exec(made.output) ?? []
  const [, takeRole = ''] = /imago (aws sts assume-role .*)$/m.exec(made.output) ?? []
  const taken = await imago.run(takeRole.split(' '))
  assert.match(taken.output, new RegExp(`assumed-role/OrganizationAccountAccessRole/me`))
  const twice = await imago.run(['account', 'create', 'web-more'])
  assert.match(twice.errors, /another account has the address web-more@imago\.invalid/i)
  assert.match(twice.errors, oneLine)
  const organizations = ['aws', 'organizations']
  const described = await imago.run([...organizations, 'describe-account', '--account-id', dev])
  assert.match(described.output, /"Email": "web-more@imago\.invalid"/)
  const roots = await imago.run([...organizations, 'list-roots', '--query', 'Roots[0].Id'])
  const ofRoot = ['--root-id', JSON.parse(roots.output) as string]
  const type = ['--policy-type', 'SERVICE_CONTROL_POLICY']
  const enabled = await imago.run([...organizations, 'enable-policy-type', ...ofRoot, ...type])
  assert.match(enabled.output, /"Status": "ENABLED"/)
  assert.match((await imago.run(['account', 'close', dev])).output, /^Closed the account /)
  const accounts = await imago.run(['account', 'list'])
  assert.match(accounts.output, new RegExp(`^${dev}  SUSPENDED  `, 'm'))
  assert.match(accounts.output, /^123456789012  ACTIVE /m)
  const shut = await imago.run(['account', 'close', dev])
  assert.match(shut.errors, /AccountAlreadyClosedException/)

  assert.match((await imago.run(['gc'])).output, /^Freed /)
  const refused = await imago.run(['aws', 'ec2', 'describe-images', '--image-ids', 'ami-1'])
  assert.notEqual(refused.code, 0)
  assert.match(refused.errors, /InvalidAMIID\.Malformed/)

  assert.equal(await service.stop(), 0)
  assert.match(service.said(), /machines run on/)
  const checked = await imago.run(['fsck'])
  assert.equal(checked.code, 0, checked.output + checked.errors)
  assert.match(checked.output, /^All is well/)
})

test('a disk is bundled into a bucket, and an image registered of it as the command says', async (context) => {
  const imago = await commandLine(context)
  await imago.serve().answers()
  const disk = join(imago.dataFolder, 'disk.qcow2')
  const { status } = spawnSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '3M'])
  assert.equal(status, 0)
  const bundle = (...args: string[]) => imago.run(['bundle', disk, '--bucket', ...args])

  const nowhere = await bundle('images', '--prefix', 'web')
  assert.match(nowhere.errors, oneLine)
  const [, folder = ''] = /mkdir -p (.+)$/m.exec(nowhere.errors) ?? []
  await mkdir(folder, { recursive: true })
  const done = await bundle('images', '--prefix', 'web/')
  assert.equal(done.code, 0, done.errors)
  assert.deepEqual((await readdir(join(folder, 'web'))).toSorted(), [
    'image.manifest.xml',
    'image.part.00',
  ])
  const [, said = ''] = /imago (aws .+)$/m.exec(done.output) ?? []
  assert.match(said, /--image-location images\/web\/image\.manifest\.xml/)
  const registered = await imago.run(said.replace('NAME', 'web').split(' '))
  assert.match(registered.output, /ami-[0-9a-f]{17}/, registered.errors)

  for (const [args, why] of [
    [['images', '--prefix', 'web'], /a bundle already/],
    [['images', '--prefix', '../web'], /no place in a bucket/],
    [['Images'], /no place in a bucket/],
    [['images', '--architecture', 'vax'], /architecture/],
  ] as const) {
    const { code, errors } = await bundle(...args)
    assert.equal(code, 1)
    assert.match(errors, oneLine)
    assert.match(errors, why)
  }
  assert.match((await imago.run(['bundle', folder, '--bucket', 'images'])).errors, /Cannot bundle/)
})

test('one service serves a data folder, and one program a port', async (context) => {
  const imago = await commandLine(context)
  await imago.serve().answers()
  const second = await imago.run(['serve'])
  assert.equal(second.code, 1)
  assert.match(second.errors, oneLine)
  assert.match(second.errors, /Another Imago serves this data folder/)
  const repair = await imago.run(['fsck', '--repair'])
  assert.equal(repair.code, 1)
  assert.match(repair.errors, oneLine)
  assert.match(repair.errors, /Another Imago serves this data folder/)

  const other = createServer().listen(0, '127.0.0.1')
  context.after(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const late = (await commandLine(context)).serve({ port })
  await assert.rejects(late.answers())
  assert.match(late.said(), oneLine)
  assert.match(late.said(), new RegExp(`IMAGO_LISTEN: 127\\.0\\.0\\.1:${port}`))
})

test('what is wrong with the folder or the settings is said in one line', async (context) => {
  const imago = await commandLine(context)
  for (const args of [['gc'], ['ssh', 'web'], ['import', 'disk', '--name', 'x'], ['fsck']]) {
    const { code, errors } = await imago.run(args)
    assert.equal(code, 1)
    assert.match(errors, oneLine)
  }
  await rm(imago.dataFolder, { recursive: true })
  await writeFile(imago.dataFolder, 'a file')
  const service = imago.serve()
  await assert.rejects(service.answers())
  assert.match(service.said(), /^imago: Cannot write to the data folder[^\n]+\n$/)
  await rm(imago.dataFolder)
})

test('the checker finds a pack that is no pack and a lost master key, and says so by its exit code', async (context) => {
  const imago = await commandLine(context)
  const service = imago.serve()
  await service.answers()
  await service.stop()
  await writeFile(join(imago.dataFolder, 'blocks', 'packs', '0000000001.pack'), 'no pack')
  const masterKey = join(imago.dataFolder, 'master-key')
  await rm(masterKey)
  const { code, output } = await imago.run(['fsck'])
  assert.equal(code, 1)
  assert.match(output, /0000000001\.pack is unreadable/)
  assert.match(output, /the master key is gone, and there are keys that only it opens/)
  await writeFile(masterKey, 'damaged')
  const damaged = await imago.run(['fsck'])
  assert.equal(damaged.code, 1)
  assert.match(damaged.errors, oneLine)
})

test('an unknown command, and one that lacks something, say what there is', async (context) => {
  const imago = await commandLine(context)
  const unknown = await imago.run(['bake'])
  assert.equal(unknown.code, 1)
  assert.match(unknown.errors, /unknown command 'bake'/)
  const lacking = await imago.run(['import', 'disk.raw'])
  assert.equal(lacking.code, 1)
  assert.match(lacking.errors, /required option '--name <name>' not specified/)
  assert.match((await imago.run(['--version'])).output, /^\d+\.\d+\.\d+\n$/)
})

test('with a certificate the service speaks TLS only, and its commands know it', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'imago-certificate-'))
  context.after(() => rm(folder, { recursive: true }))
  const made = await ensureCertificate(folder, { names: ['127.0.0.1'], now: new Date() })
  await writeFile(join(folder, 'key.pem'), made.key)
  const imago = await commandLine(context, {
    IMAGO_TLS_CERTIFICATE: certificateFileIn(folder),
    IMAGO_TLS_KEY: join(folder, 'key.pem'),
  })
  await imago.serve().answers()
  const identity = await imago.run(['aws', 'sts', 'get-caller-identity', '--output', 'json'])
  assert.equal(identity.code, 0, identity.errors)
  const freed = await imago.run(['gc'])
  assert.match(freed.output, /^Freed /, freed.errors)
  const endpoint = (await readFile(join(imago.dataFolder, 'endpoint'), 'utf8')).trim()
  assert.match(endpoint, /^https:/)
  await assert.rejects(fetch(endpoint), 'nobody else knows the certificate')
  await assert.rejects(fetch(endpoint.replace('https', 'http')), 'it does not speak without TLS')
  const trail = await imago.run(['audit', 'verify'])
  const [, hash = ''] =
    /^123456789012: \d+ events, whole, up to ([0-9a-f]{64})$/m.exec(trail.output) ?? []
  const later = await imago.run(['audit', 'verify', '--hash', hash, 'b10c'])
  assert.match(
    later.output,
    new RegExp(`^${hash}: in the trail of 123456789012\nb10c: in no trail`, 'm'),
  )
  assert.equal(later.code, 1)
})

test('a command whose output nobody reads to its end says nothing of it', () => {
  const imago = join(import.meta.dirname, '..', 'bin', 'imago')
  const script = `"${imago}" doctor | head -n 1`
  const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })
  assert.match(stdout, /^. Node [^\n]+\n$/)
  assert.equal(stderr, '')
})
