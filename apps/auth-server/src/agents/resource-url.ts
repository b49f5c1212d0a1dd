import * as z from 'zod'

/**
 * An agent's URL as a resource indicator (RFC 8707 §2):
 * > It MUST be an absolute URI […]. The URI MUST NOT include a fragment component.
 */
export const ResourceUrl = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  .refine((url) => !url.includes('#'), 'must have no fragment')
  .transform(normalizeResourceUrl)

/** Writes a resource indicator in the one form that is compared: case, default port, no last slash. */
export function normalizeResourceUrl(url: string): string {
  return new URL(url).href.replace(/\/$/, '')
}
