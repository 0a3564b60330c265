/** A thread of the worker pool: does the tasks it is sent, one after the other. */
import { parentPort } from 'node:worker_threads'
import { type TaskInput, type TaskName, tasks } from './tasks.ts'

export interface Job {
  readonly id: number
  readonly name: TaskName
  readonly input: TaskInput<TaskName>
}

export type Outcome =
  | { readonly id: number; readonly output: unknown }
  /** An error loses its code on the way between threads. */
  | { readonly id: number; readonly error: unknown; readonly code: unknown }

parentPort?.on('message', ({ id, name, input }: Job) => {
  try {
    const task = tasks[name] as (input: unknown) => Readonly<Record<string, unknown>>
    const output = task(input)
    parentPort?.postMessage({ id, output } satisfies Outcome, buffersOf(output))
  } catch (error) {
    parentPort?.postMessage({ id, error, code: codeOf(error) } satisfies Outcome)
  }
})

function buffersOf(output: Readonly<Record<string, unknown>>): ArrayBuffer[] {
  return Object.values(output).flatMap((value) =>
    value instanceof Uint8Array && value.buffer instanceof ArrayBuffer ? [value.buffer] : [],
  )
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
