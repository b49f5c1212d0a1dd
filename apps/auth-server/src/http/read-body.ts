import { discardBody } from '@deputy/serve'
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { OAuthError } from '../oauth-error.ts'

/** Largest body that is read, in bytes. */
export const MAX_BODY_BYTES = 32 * 1024

/** Reads a request's body. Rejects with `OAuthError` when it is larger than the limit or no UTF-8. */
export async function readBody(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  await new Promise<void>((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size <= MAX_BODY_BYTES) {
        chunks.push(chunk)
        return
      }
      req.off('data', onData)
      discardBody(req)
      reject(tooLarge())
    }
    req.on('data', onData)
    req.once('end', resolve)
    req.once('error', () => reject(invalid('the body was cut short')))
  })
  const [only, ...others] = chunks
  const body = only !== undefined && others.length === 0 ? only : Buffer.concat(chunks)
  if (!isUtf8(body)) throw invalid('the body must be UTF-8')
  return body.toString('utf8')
}

function tooLarge(): OAuthError {
  return new OAuthError({
    code: 'invalid_request',
    message: `the body is larger than ${String(MAX_BODY_BYTES)} bytes`,
    status: 413,
  })
}

function invalid(message: string): OAuthError {
  return new OAuthError({ code: 'invalid_request', message })
}
