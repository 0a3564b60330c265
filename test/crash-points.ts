/**
 * Points at which a program can be killed: before and after each thing that it
 * does to the world outside of its memory. They are put around Node's own
 * functions and around the commits of a database, so the program under test has
 * no trace of them.
 */
import childProcess from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { Socket } from 'node:net'
import { basename } from 'node:path'
import type { Connections } from '../src/db/database.ts'

type OnPoint = (name: string) => void
type Anything = (...args: never[]) => unknown

/** Calls `onPoint` around everything that the process does to files, processes and machines. */
export function watchEffects(onPoint: OnPoint): void {
  const around = (owner: object, key: string, nameOf: (args: readonly unknown[]) => string) => {
    const functions = owner as Record<string, Anything>
    const original = functions[key]
    if (!original) throw new Error(`no such function: ${key}`)
    functions[key] = function (this: unknown, ...args: never[]) {
      const name = nameOf(args)
      if (name === '') return original.apply(this, args)
      onPoint(`before ${name}`)
      const result = original.apply(this, args)
      if (result instanceof Promise) {
        return result.then((value: unknown) => {
          onPoint(`after ${name}`)
          return value
        })
      }
      onPoint(`after ${name}`)
      return result
    }
  }
  for (const key of ['rm', 'unlink', 'mkdir']) {
    around(fs.promises, key, ([path]) => `${key} ${kindOf(String(path))}`)
  }
  around(fs.promises, 'link', ([, to]) => `link ${kindOf(String(to))}`)
  around(fs.promises, 'rename', ([, to]) => `rename ${kindOf(String(to))}`)
  around(fs, 'renameSync', ([, to]) => `rename ${kindOf(String(to))}`)
  around(childProcess, 'spawn', ([program, args]) => {
    const words = [program, ...(Array.isArray(args) ? args : [])].map((word) =>
      basename(String(word)),
    )
    const at = words.findIndex((word) => /^(qemu-|dnsmasq|slirp|sleep|nft|ip$)/.test(word))
    const subcommand = words[at] === 'qemu-img' ? ` ${words[at + 1]}` : ''
    return at < 0 ? '' : `spawn ${words[at]}${subcommand}`
  })
  around(Socket.prototype, 'write', ([data]) => {
    const command = /^\{"execute":"([a-z_-]+)"/.exec(typeof data === 'string' ? data : '')?.[1]
    return command === undefined || command.startsWith('query-') ? '' : `qmp ${command}`
  })
  syncBuiltinESMExports()
}

/** The same database, with points around each commit. */
export function watchCommits(db: Connections, onPoint: OnPoint): Connections {
  const writes = new Proxy(db.writes, {
    get(target, key): unknown {
      if (key !== 'transaction') {
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      }
      return () => ({
        execute: async (work: (tx: unknown) => Promise<unknown>) => {
          const result = await target.transaction().execute(async (tx) => {
            const done = await work(tx)
            onPoint('before commit')
            return done
          })
          onPoint('after commit')
          return result
        },
      })
    },
  })
  return { ...db, writes }
}

/** What a file is, without what differs from one run to the next. */
function kindOf(path: string): string {
  const name = basename(path)
  if (name.endsWith('.qcow2')) return 'layer'
  if (/\.raw(\.tmp)?$/.test(name)) return 'base'
  if (/^\d+\.(pack|tmp)$/.test(name)) return 'pack'
  if (/^[0-9a-f]{64}(\.tmp)?$/.test(name)) return 'manifest'
  return name.replace(/-[0-9a-f]{8,}$/, '')
}
