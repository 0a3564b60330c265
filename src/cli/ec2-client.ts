/** A client of the EC2 API, small as the command line needs it: signed calls in, elements out. */
import { CommandFailed } from './failure.ts'
import type { Access } from './installation.ts'
import { send } from './signed-request.ts'
import { type Element, find, parseXml, textAt } from './xml.ts'

export type Parameter =
  | string
  | number
  | boolean
  | readonly Parameter[]
  | { readonly [name: string]: Parameter }

/** A call that the service refused. */
export class CallRefused extends CommandFailed {
  readonly code: string

  constructor(action: string, code: string, message: string) {
    super(`${action}: ${code}: ${message}`)
    this.code = code
  }
}

/** Calls an action. Lists become `Name.1`, `Name.2`, …, and members `Name.Member`. */
export async function callEc2(
  access: Access,
  action: string,
  parameters: Readonly<Record<string, Parameter>> = {},
): Promise<Element | undefined> {
  const form = new URLSearchParams({ Action: action, Version: '2016-11-15' })
  for (const [name, value] of flatten('', parameters)) form.set(name, value)
  const { status, text } = await send(access, {
    service: 'ec2',
    method: 'POST',
    path: '/',
    contentType: 'application/x-www-form-urlencoded; charset=utf-8',
    body: form.toString(),
  })
  const answer = parseXml(text)
  if (status === 200) return find(answer, `${action}Response`)
  const error = find(answer, 'Response', 'Errors', 'Error')
  throw new CallRefused(action, textAt(error, 'Code') || String(status), textAt(error, 'Message'))
}

function* flatten(name: string, value: Parameter): Iterable<readonly [string, string]> {
  if (typeof value !== 'object') {
    yield [name, String(value)]
    return
  }
  const isList = Array.isArray(value)
  for (const [key, member] of Object.entries(value)) {
    const part = isList ? String(Number(key) + 1) : key
    yield* flatten(name === '' ? part : `${name}.${part}`, member as Parameter)
  }
}
