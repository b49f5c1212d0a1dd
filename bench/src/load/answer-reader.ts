// Finds where an HTTP/1.1 answer ends, and nothing more: what a load generator needs, at a cost that
// leaves the processor to the server under test. Bodies by Content-Length or chunked (RFC 9112 §6).

/** What came back: the status, and the body as it was framed. */
export type Answer = { readonly status: number; readonly bytes: Buffer }

export type AnswerReader = {
  /** Takes what arrived. Answers the whole answer once its last byte is there. */
  read(chunk: Buffer): Answer | undefined
}

const HEAD_END = Buffer.from('\r\n\r\n')
const LAST_CHUNK = Buffer.from('0\r\n\r\n')

/** Creates the reader of one connection, on which one request at a time is under way. */
export function createAnswerReader(): AnswerReader {
  let pending: Buffer | undefined

  return {
    read(chunk) {
      const bytes = pending === undefined ? chunk : Buffer.concat([pending, chunk])
      pending = bytes
      const headEnd = bytes.indexOf(HEAD_END)
      if (headEnd < 0) return undefined
      if (!isWhole(bytes, headEnd)) return undefined
      pending = undefined
      // "HTTP/1.1 200 OK": the status is the three digits after the first space.
      return { status: Number(bytes.latin1Slice(9, 12)), bytes }
    },
  }
}

function isWhole(bytes: Buffer, headEnd: number): boolean {
  const head = bytes.latin1Slice(0, headEnd)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  const bodyStart = headEnd + HEAD_END.length
  if (length !== undefined) return bytes.length >= bodyStart + Number(length)
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    return bytes.length > bodyStart && bytes.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)
  }
  throw new TypeError('the answer has neither Content-Length nor chunks: it cannot be kept alive')
}
