import type { Authorization } from '../authorization.ts'
import type { ClientError } from '../error/client-error.ts'

/**
 * Keeps the nonce of a refusal (RFC 9449 §9) that came on a stream or a socket, where there is no header for it: the
 * error itself has it. Answers whether the same is to be sent once more, with a new proof.
 */
export function noteNonce(authorization: Authorization, url: string, error: ClientError): boolean {
  const data: unknown = error.data
  if (error.code !== 'dpop_nonce_required' || typeof data !== 'object' || data === null)
    return false
  const nonce: unknown = Reflect.get(data, 'dpopNonce')
  if (typeof nonce !== 'string') return false
  const headers = new Headers({
    'dpop-nonce': nonce,
    'www-authenticate': 'DPoP error="use_dpop_nonce"',
  })
  return authorization.observe(url, { status: 401, headers })
}
