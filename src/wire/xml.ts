/** Text as XML 1.0 can hold it: markup escaped, what XML forbids replaced. */

// Most texts have nothing to change, and this tells so at once.
const toChange = /[&<>"]|[^\t\n\u0020-\ud7ff\ue000-\ufffd]/
const markup = /[&<>"\r]/g
const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

const escapes: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  // A reader of XML would make a line feed of it.
  ['\r', '&#13;'],
])

/** `text` as the content of an element or an attribute. */
export function escapeXml(text: string): string {
  if (!toChange.test(text)) return text
  return text
    .replace(forbidden, '\ufffd')
    .replace(markup, (character) => escapes.get(character) ?? character)
}
