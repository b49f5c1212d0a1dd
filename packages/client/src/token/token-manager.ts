// All tokens of one client: one for each purpose, however many callers and links want it.
import { systemClock, type Clock } from '@deputy/auth/protocol'
import type { AccessToken, RequestToken } from './access-token.ts'
import { shareToken } from './share-token.ts'
import type { TokenCache } from './token-cache.ts'
import { createTokenSlot, type TokenSlot } from './token-slot.ts'

/** What makes two tokens interchangeable: these being the same, one serves for both. */
export type TokenPurpose = {
  readonly issuer: string
  readonly clientId: string
  readonly audience: string | undefined
  readonly resource: string | undefined
  readonly scopes: readonly string[]
  /** Whose authority, and by which grant: a subject token, a task grant, limits. */
  readonly grant: string
  /** RFC 7638 thumbprint of the key that the token is bound to. */
  readonly keyThumbprint: string | undefined
}

export type TokenManager = {
  getToken(purpose: TokenPurpose, requestToken: RequestToken): Promise<AccessToken>
  /** See `TokenSlot`. */
  peek(purpose: TokenPurpose): AccessToken | undefined
  /** See `TokenSlot`. */
  discard(purpose: TokenPurpose, token: AccessToken): boolean
  /** See `TokenSlot`. */
  watch(
    purpose: TokenPurpose,
    requestToken: RequestToken,
    onToken: (token: AccessToken) => void,
  ): () => void
}

export type TokenManagerOptions = {
  readonly clock?: Clock | undefined
  readonly renewBeforeSeconds?: number | undefined
  readonly random?: (() => number) | undefined
  /** Shares tokens with other processes. Default: none are shared. */
  readonly cache?: TokenCache | undefined
  /** Tokens that are kept at most: the one that was not used for longest goes first. Default 10,000. */
  readonly maxTokens?: number | undefined
}

/** Creates a token manager. */
export function createTokenManager(options: TokenManagerOptions = {}): TokenManager {
  const { cache, maxTokens = 10_000 } = options
  const clock = options.clock ?? systemClock
  // In the order of their last use.
  const slots = new Map<string, TokenSlot>()

  function openSlot(key: string, requestToken: RequestToken): TokenSlot {
    const shared = cache ? shareToken({ cache, clock, key, requestToken }) : requestToken
    const slot = slots.get(key) ?? createTokenSlot({ ...options, requestToken: shared })
    slots.delete(key)
    slots.set(key, slot)
    const [oldest] = slots.keys()
    if (slots.size > maxTokens && oldest !== undefined) slots.delete(oldest)
    return slot
  }

  return Object.freeze({
    getToken: async (purpose: TokenPurpose, requestToken: RequestToken) =>
      openSlot(toKey(purpose), requestToken).getToken(),
    peek(purpose: TokenPurpose) {
      const key = toKey(purpose)
      const slot = slots.get(key)
      if (slot === undefined) return undefined
      slots.delete(key)
      slots.set(key, slot)
      return slot.peek()
    },
    discard: (purpose: TokenPurpose, token: AccessToken) =>
      slots.get(toKey(purpose))?.discard(token) ?? true,
    watch: (
      purpose: TokenPurpose,
      requestToken: RequestToken,
      onToken: (token: AccessToken) => void,
    ) => openSlot(toKey(purpose), requestToken).watch(onToken),
  })
}

/** A client's purposes are asked about with every call. */
const keys = new WeakMap<TokenPurpose, string>()

function toKey(purpose: TokenPurpose): string {
  const known = keys.get(purpose)
  if (known !== undefined) return known
  const { audience, clientId, grant, issuer, keyThumbprint, resource, scopes } = purpose
  const set = [...new Set(scopes)].toSorted()
  const key = JSON.stringify([issuer, clientId, audience, resource, set, grant, keyThumbprint])
  keys.set(purpose, key)
  return key
}
