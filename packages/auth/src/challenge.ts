import { formatScope, PROOF_ALGORITHMS } from './protocol/index.ts'
import { toPublicRefusal } from './public-refusal.ts'
import type { Refusal } from './refusal.ts'

/**
 * Writes the `WWW-Authenticate` value for a refusal (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1), or
 * `undefined` where the status calls for none (408, 429, 503).
 *
 * @param resourceMetadataUrl where the agent's protected-resource metadata is served
 */
export function formatChallenge(refusal: Refusal, resourceMetadataUrl: string): string | undefined {
  const { bearerError, dpopError, message, status } = toPublicRefusal(refusal)
  if (status === 503 || status === 429 || status === 408) return undefined
  if (refusal.reason === 'deadline_invalid') return undefined
  const parameters: [string, string][] = []
  const error = dpopError ?? bearerError
  if (error !== undefined) parameters.push(['error', error], ['error_description', message])
  if (refusal.reason === 'scope_missing') {
    parameters.push(['scope', formatScope(refusal.requiredScopes)])
  }
  // > An algs parameter SHOULD be included to signal to the client the JWS algorithms that are acceptable
  if (dpopError !== undefined) parameters.push(['algs', PROOF_ALGORITHMS.join(' ')])
  parameters.push(['resource_metadata', resourceMetadataUrl])
  const scheme = dpopError === undefined ? 'Bearer' : 'DPoP'
  return `${scheme} ${parameters.map(([name, value]) => `${name}="${toQuotedText(value)}"`).join(', ')}`
}

/** RFC 6750 §3 allows %x20-21 / %x23-5B / %x5D-7E in these values: the rest becomes an apostrophe. */
function toQuotedText(value: string): string {
  return value.replace(/[^\x20-\x21\x23-\x5B\x5D-\x7E]/g, "'")
}
