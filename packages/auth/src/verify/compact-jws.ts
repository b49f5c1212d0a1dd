const COMPACT_JWS = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/

/** What a compact JWS says of itself. Nothing of it is verified. */
export type CompactJws = { readonly header: unknown; readonly payload: unknown }

/** Reads the header and the payload of a signed JWT (RFC 7515 §7.1); `undefined` for anything else. */
export function readCompactJws(text: string): CompactJws | undefined {
  const parts = COMPACT_JWS.exec(text)
  if (parts === null) return undefined
  try {
    return { header: readJson(parts[1] ?? ''), payload: readJson(parts[2] ?? '') }
  } catch {
    return undefined
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function readJson(part: string): unknown {
  return JSON.parse(decoder.decode(Buffer.from(part, 'base64url')))
}
