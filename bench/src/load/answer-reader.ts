// Finds where an HTTP/1.1 answer ends, and nothing more: what a load generator needs, at a cost that
// leaves the processor to the server under test. Bodies by Content-Length or in chunks (RFC 9112 §6.3).

/** What came back. The body is cut out only for who wants to see it. */
export type Answer = { readonly status: number; readBody(): string }

export type AnswerReader = {
  /** Takes what arrived. Answers the whole answer once its last byte is there. */
  read(chunk: Buffer): Answer | undefined
}

const HEAD_END = Buffer.from('\r\n\r\n')

const CHUNKED = /\r\ntransfer-encoding: *chunked/i
/** The body, a byte a character; `undefined` until its last chunk, the empty one, is there. */
function joinChunks(text: string): string | undefined {
  let body = ''
  for (let at = 0; ;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    if (!Number.isInteger(size)) throw new TypeError('a chunk without a size')
    const next = lineEnd + 2 + size + 2
    if (text.length < next) return undefined
    if (size === 0) {
      if (text.length > next) throw new TypeError('more came than was asked for')
      return body
    }
    body += text.slice(lineEnd + 2, next - 2)
    at = next
  }
}

/** Creates the reader of one connection, on which one request at a time is under way. */
export function createAnswerReader(): AnswerReader {
  let pending: Buffer | undefined

  return {
    read(chunk) {
      const bytes = pending === undefined ? chunk : Buffer.concat([pending, chunk])
      pending = bytes
      const headEnd = bytes.indexOf(HEAD_END)
      if (headEnd < 0) return undefined
      const head = bytes.toString('latin1', 0, headEnd)
      const bodyStart = headEnd + HEAD_END.length
      if (CHUNKED.test(head)) {
        const chunked = bytes.toString('latin1', bodyStart)
        const body = joinChunks(chunked)
        if (body === undefined) return undefined
        pending = undefined
        return {
          status: Number(head.slice(9, 12)),
          readBody: () => Buffer.from(body, 'latin1').toString('utf8'),
        }
      }
      const end = bodyStart + readLength(head)
      if (bytes.length < end) return undefined
      if (bytes.length > end) throw new TypeError('more came than was asked for')
      pending = undefined
      // "HTTP/1.1 200 OK": the status is the three digits after the first space.
      return {
        status: Number(head.slice(9, 12)),
        readBody: () => bytes.toString('utf8', bodyStart, end),
      }
    },
  }
}

function readLength(head: string): number {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new TypeError('an answer without Content-Length')
  return Number(length)
}
