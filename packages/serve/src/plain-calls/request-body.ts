import { TRPCError } from '@trpc/server'
import type { IncomingMessage } from 'node:http'
import { discardBody } from '../limits/discard-body.ts'

/** RFC 3629 §6: a byte order mark at the beginning is no part of the text. */
const BYTE_ORDER_MARK = '\uFEFF'

/**
 * Reads a body as text. Rejects with `PAYLOAD_TOO_LARGE` as soon as it is known to be longer, and with
 * `CLIENT_CLOSED_REQUEST` when the caller goes away before its end.
 */
export async function readText(req: IncomingMessage, maxBytes: number): Promise<string> {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) {
    discardBody(req)
    throw tooLarge()
  }
  const bytes = await readBytes(req, maxBytes)
  const text = bytes.toString('utf8')
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
}

async function readBytes(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const stop = (): void => {
      req.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > maxBytes) {
        stop()
        discardBody(req)
        reject(tooLarge())
        return
      }
      chunks.push(chunk)
    }
    const onEnd = (): void => {
      stop()
      const [first] = chunks
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, size))
    }
    const onGone = (): void => {
      stop()
      const message = 'the caller went away before the end of its request'
      reject(new TRPCError({ code: 'CLIENT_CLOSED_REQUEST', message }))
    }
    req.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone)
    if (req.destroyed && !req.readableEnded) onGone()
  })
}

function tooLarge(): TRPCError {
  return new TRPCError({ code: 'PAYLOAD_TOO_LARGE' })
}
