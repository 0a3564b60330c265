/** Answers of EC2's query protocol, as far as the command line reads them: elements by path. */
import { XMLParser } from 'fast-xml-parser'

export type Element = string | readonly Element[] | { readonly [name: string]: Element }

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  parseTagValue: false,
  isArray: (name) => name === 'item' || name === 'Error',
})

export function parseXml(text: string): Element {
  return parser.parse(text) as Element
}

/** The element that the names lead to, the first of each list on the way. */
export function find(from: Element | undefined, ...path: readonly string[]): Element | undefined {
  let found = first(from)
  for (const name of path) {
    if (found === undefined || typeof found === 'string') return undefined
    found = first((found as Readonly<Record<string, Element>>)[name])
  }
  return found
}

/** The text there; empty where there is none. */
export function textAt(from: Element | undefined, ...path: readonly string[]): string {
  const found = find(from, ...path)
  return typeof found === 'string' ? found : ''
}

/** Every `item` of the list there. */
export function itemsAt(from: Element | undefined, ...path: readonly string[]): readonly Element[] {
  const list = find(from, ...path)
  if (list === undefined || typeof list === 'string' || Array.isArray(list)) return []
  const items = (list as Readonly<Record<string, Element>>)['item']
  return Array.isArray(items) ? items : []
}

function first(element: Element | undefined): Element | undefined {
  return Array.isArray(element) ? first(element[0]) : element
}
