import { formatScope } from './protocol/index.ts'
import { toPublicRefusal } from './public-refusal.ts'
import type { Refusal } from './refusal.ts'

/**
 * Writes the `WWW-Authenticate` value for a refusal (RFC 6750 §3, RFC 9728 §5.1), or `undefined`
 * where the status calls for none (429, 503).
 *
 * @param resourceMetadataUrl where the agent's protected-resource metadata is served
 */
export function formatChallenge(refusal: Refusal, resourceMetadataUrl: string): string | undefined {
  const { bearerError, message, status } = toPublicRefusal(refusal)
  if (status === 503 || status === 429) return undefined
  const parameters: [string, string][] = []
  if (bearerError !== undefined) {
    parameters.push(['error', bearerError], ['error_description', message])
  }
  if (refusal.reason === 'scope_missing') {
    parameters.push(['scope', formatScope(refusal.requiredScopes)])
  }
  parameters.push(['resource_metadata', resourceMetadataUrl])
  return `Bearer ${parameters.map(([name, value]) => `${name}="${toQuotedText(value)}"`).join(', ')}`
}

/** RFC 6750 §3 allows %x20-21 / %x23-5B / %x5D-7E in these values: the rest becomes an apostrophe. */
function toQuotedText(value: string): string {
  return value.replace(/[^\x20-\x21\x23-\x5B\x5D-\x7E]/g, "'")
}
