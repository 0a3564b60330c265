/** A client of Organizations, small as the command line needs it: JSON in and out. */
import { CallRefused } from './ec2-client.ts'
import type { Access } from './installation.ts'
import { send } from './signed-request.ts'

export type Answer = Readonly<Record<string, unknown>>

export async function callOrganizations(
  access: Access,
  action: string,
  input: Readonly<Record<string, unknown>> = {},
): Promise<Answer> {
  const { status, text } = await send(access, {
    service: 'organizations',
    method: 'POST',
    path: '/',
    contentType: 'application/x-amz-json-1.1',
    target: `AWSOrganizationsV20161128.${action}`,
    body: JSON.stringify(input),
  })
  const answer = read(text)
  if (status === 200) return answer
  const code = textIn(answer, '__type') || String(status)
  const message = textIn(answer, 'message') || textIn(answer, 'Message') || text
  throw new CallRefused(action, code, message)
}

/** A member of an answer that has members itself; nothing is in it where it is not there. */
export function within(answer: Answer, name: string): Answer {
  const member = answer[name]
  return member !== null && typeof member === 'object' ? (member as Answer) : {}
}

export function textIn(answer: Answer, name: string): string {
  const member = answer[name]
  return typeof member === 'string' ? member : ''
}

function read(text: string): Answer {
  try {
    const parsed: unknown = text === '' ? {} : JSON.parse(text)
    return parsed !== null && typeof parsed === 'object' ? { ...parsed } : {}
  } catch {
    return {}
  }
}
