import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { runScript } from './run-script.ts'

async function scriptOf(context: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'imago-script-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'script.sh')
  await writeFile(path, text)
  return path
}

/** Starts what starts others, writes down who they are, and waits for ever. */
const tree = `
set -e
trap 'echo cleaned >"$1.end"' EXIT
bash -c 'sleep 1000 & echo $! >"$0.grandchild"; wait' "$1" &
echo $! >"$1.child"
echo $$ >"$1.self"
while [ ! -s "$1.grandchild" ]; do sleep 0.01; done
echo all are there
wait
`

async function pidsOf(prefix: string): Promise<readonly number[]> {
  const texts = ['self', 'child', 'grandchild'].map((name) => readFile(`${prefix}.${name}`, 'utf8'))
  return (await Promise.all(texts)).map(Number)
}

/** A process that has ended and that nobody has asked about counts as ended. */
async function runs(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat !== undefined && !/\) [ZX] /.test(stat)
}

async function untilNoneRuns(pids: readonly number[]): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (!(await Promise.all(pids.map(runs))).includes(true)) return
    await wait(10)
  }
  throw new Error(`some of ${pids.join()} run on`)
}

test('a script says its lines and its code', async (context) => {
  const path = await scriptOf(context, 'echo "one $1"; echo two >&2; exit 3')
  const heard: string[] = []
  const outcome = await runScript(path, ['more'], { onLine: (line) => heard.push(line) })
  assert.equal(outcome.code, 3)
  assert.deepEqual(outcome.lines.toSorted(), ['one more', 'two'])
  assert.deepEqual(heard, outcome.lines)
})

test('an aborted script ends with all that it has started', async (context) => {
  const path = await scriptOf(context, tree)
  const aborted = new AbortController()
  const onLine = () => aborted.abort()
  const { code } = await runScript(path, [path], { onLine, signal: aborted.signal })
  assert.notEqual(code, 0)
  await untilNoneRuns(await pidsOf(path))
  assert.equal(await readFile(`${path}.end`, 'utf8'), 'cleaned\n')
})

test('a script ends with all that it has started when its caller is killed', async (context) => {
  const path = await scriptOf(context, tree)
  const program = `
    import { runScript } from ${JSON.stringify(import.meta.resolve('./run-script.ts'))}
    const onLine = () => process.kill(process.pid, 'SIGKILL')
    await runScript(process.argv[1], [process.argv[1]], { onLine })`
  const flags = ['--input-type=module', '--eval', program, path]
  const caller = spawn(process.execPath, flags, { stdio: 'ignore' })
  const { promise: ended, resolve } = Promise.withResolvers<unknown>()
  caller.once('exit', (_code, signal) => resolve(signal))
  assert.equal(await ended, 'SIGKILL')
  await untilNoneRuns(await pidsOf(path))
  assert.equal(await readFile(`${path}.end`, 'utf8'), 'cleaned\n')
})
