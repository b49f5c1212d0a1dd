// The text of a file as its author wrote it: in the encoding that its first bytes name, HTML also in the one that it says it
// is in, in UTF-8 where it can be that, and otherwise in Windows' Latin, as browsers read what says nothing.
import { TextDecoder } from 'node:util'

/** Where HTML has to say what it is in (WHATWG HTML §13.2.3.2). */
const HEAD_BYTES = 1024

const LATIN = new TextDecoder('windows-1252')

const CHARSET = /<meta\b[^>]{0,200}?\bcharset\s*=\s*["']?\s*([\w.:-]{1,40})/i

/** Decodes a file. Lines end with `\n`, whatever they ended with. */
export function decodeText(bytes: Uint8Array, { isHtml }: { readonly isHtml: boolean }): string {
  const named = findByteOrder(bytes) ?? (isHtml ? findCharset(bytes) : undefined)
  const text = named?.decode(bytes) ?? decodeUtf8(bytes) ?? LATIN.decode(bytes)
  return text.replaceAll(/\r\n?/g, '\n')
}

function findByteOrder([first, second]: Uint8Array): TextDecoder | undefined {
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le')
  return first === 0xfe && second === 0xff ? new TextDecoder('utf-16be') : undefined
}

/** What is in UTF-16 could not be read as far as this: who says so means UTF-8. */
function findCharset(bytes: Uint8Array): TextDecoder | undefined {
  const head = LATIN.decode(bytes.subarray(0, HEAD_BYTES))
  const label = CHARSET.exec(head)?.[1]
  if (label === undefined || /^utf-?(?:8|16)/i.test(label)) return undefined
  try {
    return new TextDecoder(label)
  } catch {
    return undefined
  }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
