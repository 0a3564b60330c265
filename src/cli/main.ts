/**
 * The command `imago`: a line for each of its commands, which are loaded when they
 * are called. The only file of the command line that touches the process.
 */
import { readFileSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join, resolve } from 'node:path'
import { stdin } from 'node:process'
import { Command } from 'commander'
import { ConfigError } from '../config.ts'
import { FolderInUse } from '../db/lock.ts'
import { MasterKeyError } from '../db/master-key.ts'
import { messageOf } from '../lib/message-of.ts'
import type { CreateOptions } from './commands/account.ts'
import type { ExportOptions, VerifyOptions } from './commands/audit.ts'
import type { BundleOptions } from './commands/bundle.ts'
import type { ExplainOptions } from './commands/explain.ts'
import type { PatternOptions, TailOptions } from './commands/events.ts'
import type { FsckOptions } from './commands/fsck.ts'
import type { ImportOptions } from './commands/import.ts'
import type { ScanOptions } from './commands/scan.ts'
import type { InventoryOptions } from './commands/inventory.ts'
import type { SshOptions } from './commands/ssh.ts'
import { CommandFailed } from './failure.ts'
import type { Shell } from './shell.ts'

const repository = resolve(import.meta.dirname, '..', '..')
enableCompileCache(join(repository, 'node_modules', '.cache', 'imago'))

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  const isRead = manifest !== null && typeof manifest === 'object' && 'version' in manifest
  return isRead ? String(manifest.version) : ''
}

const shell: Shell = {
  environment: process.env,
  folder: process.cwd(),
  input: stdin,
  output: process.stdout,
  errors: process.stderr,
  now: () => new Date(),
  repository,
  onInterrupt(callback) {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    for (const signal of signals) process.on(signal, callback)
    return {
      [Symbol.dispose]() {
        for (const signal of signals) process.off(signal, callback)
      },
    }
  },
}

// Who reads the output, such as `head`, may have had enough of it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

const program = new Command('imago')
  .description('A self-hosted machine-image service behind the EC2 API')
  .version(readVersion())
  .showHelpAfterError()
  .enablePositionalOptions()

program
  .command('serve')
  .description('run the service')
  .action(async () => (await import('./commands/serve.ts')).serve(shell))

program
  .command('doctor')
  .description('what works on this host, what does not, and what to type')
  .action(async () => {
    process.exitCode = await (await import('./commands/doctor.ts')).doctor(shell)
  })
program
  .command('aws')
  .description('the AWS CLI, with endpoint, key and Region set')
  .argument('[arguments...]', 'as the AWS CLI takes them')
  .helpOption(false)
  .allowUnknownOption()
  .passThroughOptions()
  .action(async (args: string[]) => {
    process.exitCode = await (await import('./commands/aws.ts')).aws(shell, args)
  })
program
  .command('ssh')
  .description('log in to an instance, by its id or its Name tag')
  .argument('<instance>')
  .argument('[command...]', 'what to run there instead of a shell')
  .option('-i, --identity <file>', 'the private key; looked for here, in ~/.ssh and with the data')
  .option('-l, --login <user>', 'who logs in; root on tiny, admin on debian-12')
  .passThroughOptions()
  .action(async (instance: string, command: string[], options: SshOptions) => {
    const { ssh } = await import('./commands/ssh.ts')
    process.exitCode = await ssh(shell, instance, command, options)
  })
program
  .command('console')
  .description('the serial console of an instance, live')
  .argument('<instance>')
  .action(async (instance: string) =>
    (await import('./commands/console.ts')).showConsole(shell, instance),
  )
program
  .command('demo')
  .description('the whole story on a throw-away data folder: launch, change, bake, launch thrice')
  .action(async () => (await import('./commands/demo.ts')).demonstrate(shell))
program
  .command('import')
  .description('make an image of a disk: raw, qcow2, VMDK, VHD or VHDX')
  .argument('<file|URL>')
  .requiredOption('--name <name>', 'what the image shall be called')
  .option('--description <text>')
  .option('--architecture <name>', 'x86_64 or arm64')
  .option('--boot-mode <mode>', 'legacy-bios, uefi or uefi-preferred; found out where not given')
  .action(async (from: string, options: ImportOptions) =>
    (await import('./commands/import.ts')).importDisk(shell, from, options),
  )
program
  .command('bundle')
  .description('put a disk into a bucket, to register an instance-store image of it')
  .argument('<file>', 'raw, qcow2, VMDK, VHD or VHDX, of at most 10 GiB')
  .requiredOption('--bucket <name>')
  .option('--prefix <folder>', 'where in the bucket')
  .option('--architecture <name>', 'x86_64 or arm64', 'x86_64')
  .action(async (file: string, options: BundleOptions) =>
    (await import('./commands/bundle.ts')).bundleDisk(shell, file, options),
  )
program
  .command('catalog')
  .description('the starter images')
  .command('build')
  .description('bake a starter image here: tiny or debian-12')
  .argument('<recipe>')
  .action(async (recipe: string) =>
    (await import('./commands/catalog-build.ts')).buildCatalogImage(shell, recipe),
  )
program
  .command('gc')
  .description('free now what nothing names any more')
  .action(async () => (await import('./commands/gc.ts')).collectGarbage(shell))
program
  .command('fsck')
  .description('verify every block and disk, and that nothing is missing or left over')
  .option(
    '--repair',
    'repair damaged blocks from other copies on this host; stop the service first',
  )
  .action(async (options: FsckOptions) => {
    process.exitCode = await (await import('./commands/fsck.ts')).fsck(shell, options)
  })
program
  .command('scan')
  .description('what is installed on an image, and how its scan for vulnerabilities ended')
  .argument('<image>')
  .option('--findings', 'list every finding, the most severe first')
  .option('--packages', 'list every package, with its version and source')
  .action(async (image: string, options: ScanOptions) =>
    (await import('./commands/scan.ts')).showScan(shell, image, options),
  )
const advisories = program
  .command('advisories')
  .description('what is known of vulnerabilities, by which images are scanned')
advisories
  .command('import')
  .description('bring in records of OSV: a JSON file, one of a record a line, or a folder of them')
  .argument('<file|folder>')
  .action(async (from: string) =>
    (await import('./commands/advisories.ts')).importAdvisories(shell, from),
  )
advisories
  .command('list')
  .description('which there are, and how many disks were scanned by them')
  .action(async () => (await import('./commands/advisories.ts')).listAdvisories(shell))
program
  .command('explain')
  .description('which rule lets somebody do something with an image, hides it or refuses')
  .argument('<account>', "an account's number, or the ARN of a user or role")
  .argument('<action>', 'such as RunInstances')
  .argument('<image>')
  .option('--public', 'of ModifyImageAttribute: as if it made the image public')
  .action(async (principal: string, action: string, imageId: string, options: ExplainOptions) => {
    const { explain } = await import('./commands/explain.ts')
    process.exitCode = await explain(shell, { principal, action, imageId }, options)
  })
program
  .command('inventory')
  .description('which images there are, who may launch them and who does')
  .option('--all', 'of all accounts: for the account of the installation alone')
  .option('--format <format>', 'table, json or csv')
  .option('--instance <id>', 'which image this machine was started from, also when both are gone')
  .option('--image <id>', 'which machines were started from this image, also when they are gone')
  .action(async (options: InventoryOptions) =>
    (await import('./commands/inventory.ts')).showInventory(shell, options),
  )
const events = program
  .command('events')
  .description('what becomes of images, disks and machines, told as it happens')
events
  .command('subscribe')
  .description('have events sent to a URL, signed with a secret that is shown now only')
  .argument('<URL>')
  .option('--pattern <JSON>', "which events, as EventBridge's patterns have it")
  .action(async (url: string, options: PatternOptions) =>
    (await import('./commands/events.ts')).subscribe(shell, url, options),
  )
events
  .command('list')
  .description('where events are sent, and what could not be delivered')
  .action(async () => (await import('./commands/events.ts')).listSubscriptions(shell))
events
  .command('unsubscribe')
  .description('send events there no more')
  .argument('<id>')
  .action(async (id: string) => (await import('./commands/events.ts')).unsubscribe(shell, id))
events
  .command('tail')
  .description('print events as they come, a line each')
  .option('--pattern <JSON>', 'which events')
  .option('--all', 'begin with all that are kept')
  .action(async (options: TailOptions) =>
    (await import('./commands/events.ts')).tail(shell, options),
  )
const audit = program.command('audit').description('what was called, by whom, and what came of it')
audit
  .command('verify')
  .description('prove that no event is missing or changed')
  .option('--hash <hash...>', 'what was printed before, and has still to be in a trail')
  .action(async (options: VerifyOptions) => {
    process.exitCode = await (await import('./commands/audit.ts')).verifyAudit(shell, options)
  })
audit
  .command('export')
  .description("print the events as CloudTrail's JSON, a line each")
  .option('--account <id>', 'only the trail of this account')
  .action(async (options: ExportOptions) =>
    (await import('./commands/audit.ts')).exportAudit(shell, options),
  )
const account = program.command('account').description('the accounts of this installation')
account
  .command('create')
  .description('make an account, with a role by which one comes into it')
  .argument('<name>')
  .option('--email <address>', 'its address, which no other account has')
  .action(async (name: string, options: CreateOptions) =>
    (await import('./commands/account.ts')).createAccount(shell, name, options),
  )
account
  .command('list')
  .description('the accounts, and which of them are closed')
  .action(async () => (await import('./commands/account.ts')).listAccounts(shell))
account
  .command('close')
  .description(
    'close an account for good: nobody calls as it any more, and its machines are stopped',
  )
  .argument('<id>')
  .action(async (id: string) => (await import('./commands/account.ts')).closeAccount(shell, id))

try {
  await program.parseAsync(process.argv)
} catch (error) {
  const isExpected =
    error instanceof CommandFailed ||
    error instanceof ConfigError ||
    error instanceof FolderInUse ||
    error instanceof MasterKeyError
  const line = isExpected || !(error instanceof Error) ? messageOf(error) : error.stack
  process.stderr.write(`imago: ${line}\n`)
  process.exitCode = error instanceof CommandFailed ? error.exitCode : 1
}
