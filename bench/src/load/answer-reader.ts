// Finds where an HTTP/1.1 answer ends, and nothing more: what a load generator needs, at a cost that
// leaves the processor to the server under test. Bodies by Content-Length (RFC 9112 §6.3).

/** What came back. The body is cut out only for who wants to see it. */
export type Answer = { readonly status: number; readBody(): string }

export type AnswerReader = {
  /** Takes what arrived. Answers the whole answer once its last byte is there. */
  read(chunk: Buffer): Answer | undefined
}

const HEAD_END = Buffer.from('\r\n\r\n')

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
