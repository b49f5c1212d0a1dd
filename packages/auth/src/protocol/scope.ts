// Scope grammar, RFC 6749 §3.3:
//   scope       = scope-token *( SP scope-token )
//   scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
// Read strictly: no empty value, no doubled, leading or trailing space.
import { accept, refuse, type Result } from './result.ts'

/** A scope as Deputy's agents write it: `noun:verb`. Any RFC 6749 scope-token is accepted on the wire. */
export type Scope = `${string}:${string}`

/** Longest `scope` parameter that is read, in characters. */
export const MAX_SCOPE_CHARS = 4096

const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/

/** Whether the text is one scope-token (RFC 6749 §3.3). */
export function isScopeToken(text: string): boolean {
  return SCOPE_TOKEN.test(text)
}

/**
 * Reads a `scope` value into its tokens, in order, each once.
 *
 * Refuses with `scope_malformed` and a `detail` that names the first token at fault.
 */
export function parseScope(
  value: string,
): Result<readonly string[], { readonly reason: 'scope_malformed'; readonly detail: string }> {
  if (value.length > MAX_SCOPE_CHARS) {
    return refuse({
      reason: 'scope_malformed',
      detail: `scope is longer than ${String(MAX_SCOPE_CHARS)} characters`,
    })
  }
  const tokens = value.split(' ')
  const bad = tokens.find((token) => !isScopeToken(token))
  if (bad !== undefined) {
    const detail =
      bad === ''
        ? 'scope must be one or more tokens parted by single spaces'
        : `scope token ${JSON.stringify(bad)} has a character that RFC 6749 §3.3 does not allow`
    return refuse({ reason: 'scope_malformed', detail })
  }
  return accept([...new Set(tokens)])
}

/** Writes tokens as a `scope` value: parted by single spaces. */
export function formatScope(scopes: readonly string[]): string {
  return scopes.join(' ')
}

/** The required scopes that were not granted, in the order they are required. */
export function findMissingScopes(
  required: readonly string[],
  granted: readonly string[],
): readonly string[] {
  return required.filter((scope) => !granted.includes(scope))
}
