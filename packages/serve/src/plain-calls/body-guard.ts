// Measures what tRPC's own adapter is to parse: streams, answers in parts, unusual requests.
import type { IncomingMessage } from 'node:http'
import { isNestedDeeper, tooDeep } from '../limits/json-depth.ts'
import { readText } from './request-body.ts'

export type BodyGuardOptions = {
  readonly maxBodyBytes: number
  readonly maxJsonDepth: number
}

/**
 * Creates the guard. It resolves when the request may be parsed: its JSON body is then `req.body`, where the adapter
 * looks for what was read before. Rejects with `TRPCError`: `PARSE_ERROR`, `PAYLOAD_TOO_LARGE`,
 * `CLIENT_CLOSED_REQUEST`.
 */
export function createBodyGuard(
  options: BodyGuardOptions,
): (req: IncomingMessage) => Promise<void> {
  const { maxBodyBytes, maxJsonDepth } = options

  function checkDepth(json: string): void {
    if (isNestedDeeper(json, maxJsonDepth)) throw tooDeep(maxJsonDepth)
  }

  return async (req) => {
    const { url = '' } = req
    // Inputs, and what a client that cannot send header fields has in place of them.
    for (const value of new URLSearchParams(url.slice(url.indexOf('?') + 1)).values()) {
      checkDepth(value)
    }
    if ('body' in req || req.readableEnded || !hasJson(req)) return
    const text = await readText(req, maxBodyBytes)
    checkDepth(text)
    Object.assign(req, { body: text })
  }
}

function hasJson({ headers, method }: IncomingMessage): boolean {
  if (method === 'GET' || method === 'HEAD') return false
  return headers['content-type']?.toLowerCase().includes('application/json') === true
}
