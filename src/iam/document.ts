/** Policy documents as IAM answers them: percent-encoded, as RFC 3986 has it. */
export const viewDocument = (document: string): string =>
  encodeURIComponent(document).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )
