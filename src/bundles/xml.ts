/**
 * Reads XML that anyone may have written, as far as the manifest of a bundle needs it:
 * elements with attributes and text. No document types, so no entities but the five of
 * XML itself, and nothing deeper than a manifest is. Each character is looked at once.
 */
import { BadBundle } from './bundle.ts'

export interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly Element[]
  readonly text: string
}

const depthMax = 8
const elementsMax = 40_000

const token =
  /<\?[^>]*>|<!--[^]*?-->|<\/([\w.-]+)\s*>|<([\w.-]+)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|[^<]+/y
const attribute = /([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

interface Open {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: Element[]
  text: string
}

/** The one element that the document is. Throws `BadBundle`. */
export function readXml(text: string): Element {
  const top: Open = { name: '', attributes: new Map(), children: [], text: '' }
  const open: Open[] = [top]
  let count = 0
  const close = (name: string) => {
    const ended = open.pop()
    const parent = open.at(-1)
    if (!ended || !parent || ended.name !== name) throw notXml()
    parent.children.push({ ...ended, text: ended.text.trim() })
  }
  for (let at = 0; at < text.length; at = token.lastIndex) {
    token.lastIndex = at
    const found = token.exec(text)
    if (!found) throw notXml()
    const [whole, ended, begun, attributes = '', isEmpty] = found
    if (ended !== undefined) close(ended)
    else if (begun !== undefined) {
      if (open.length > depthMax || ++count > elementsMax) throw notXml()
      open.push({ name: begun, attributes: readAttributes(attributes), children: [], text: '' })
      if (isEmpty === '/') close(begun)
    } else if (!whole.startsWith('<')) {
      const inside = open.at(-1)
      if (inside) inside.text += decode(whole)
    }
  }
  const [root, ...others] = top.children
  if (!root || others.length > 0 || open.length > 1 || top.text.trim() !== '') throw notXml()
  return root
}

/** The first element that the names lead to. */
export function find(from: Element, ...path: readonly string[]): Element | undefined {
  let found: Element | undefined = from
  for (const name of path) found = found?.children.find((child) => child.name === name)
  return found
}

function readAttributes(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [, name = '', double, single = ''] of text.matchAll(attribute)) {
    found.set(name, decode(double ?? single))
  }
  return found
}

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
}

function decode(text: string): string {
  return text.replaceAll(/&[^;]{0,8};?/g, (entity) => {
    const known = entities[entity]
    if (known === undefined) throw notXml()
    return known
  })
}

const notXml = () => new BadBundle('it is no XML that a manifest could be')
