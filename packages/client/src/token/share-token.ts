// Lets processes that share a cache ask for one token together: whoever gets the claim asks, the others
// wait until it is written. A cache that fails, or a claim that nobody honours, costs one request more.
import type { Clock } from '@deputy/auth/protocol'
import { fingerprint } from '../fingerprint.ts'
import { wait } from '../wait.ts'
import {
  AccessToken,
  isAccessToken,
  type AccessTokenFacts,
  type RequestToken,
} from './access-token.ts'
import type { TokenCache } from './token-cache.ts'

/** How long a claim stands where whoever has it is gone. */
const CLAIM_SECONDS = 15
const POLL_MS = 100
/** Waits a little longer than a claim stands. */
const MAX_POLLS = 160

export type ShareTokenOptions = {
  readonly cache: TokenCache
  readonly clock: Clock
  /** Names the token's purpose: two processes with the same key share it. */
  readonly key: string
  readonly requestToken: RequestToken
}

/** Puts the cache before the request. */
export function shareToken(options: ShareTokenOptions): RequestToken {
  const { cache, clock, key, requestToken } = options
  let known: Promise<string> | undefined
  let last: AccessToken | undefined
  const getName = async (): Promise<string> => (known ??= fingerprint(key))

  async function read(current: AccessToken | undefined): Promise<AccessToken | undefined> {
    const text = await cache.read(await getName()).catch(() => undefined)
    const cached = text === undefined ? undefined : parse(text)
    if (cached === undefined || cached.expiresAt <= clock.now()) return undefined
    if (current !== undefined && cached.expiresAt <= current.expiresAt) return undefined
    const token = await AccessToken.create(cached.value, cached)
    // What was handed out before and is asked for again was refused.
    return token.id === last?.id ? undefined : token
  }

  async function request(): Promise<AccessToken> {
    const token = await requestToken()
    const { expiresAt, requestedAt, scopes, type } = token
    const text = JSON.stringify({ value: token.reveal(), type, scopes, requestedAt, expiresAt })
    const ttlSeconds = expiresAt - clock.now()
    if (ttlSeconds > 0) await cache.write(await getName(), text, ttlSeconds).catch(() => undefined)
    return token
  }

  async function obtain(current: AccessToken | undefined): Promise<AccessToken> {
    for (let poll = 0; poll < MAX_POLLS; poll += 1) {
      const found = await read(current)
      if (found !== undefined) return found
      const holder = crypto.randomUUID()
      if (await cache.claim(await getName(), holder, CLAIM_SECONDS).catch(() => true)) {
        try {
          // Somebody may have written between the look and the claim.
          return (await read(current)) ?? (await request())
        } finally {
          await cache.release(await getName(), holder).catch(() => undefined)
        }
      }
      await wait(clock, POLL_MS)
    }
    return request()
  }

  return async (current) => {
    const token = await obtain(current)
    last = token
    return token
  }
}

type CachedToken = AccessTokenFacts & { readonly value: string }

/** A value of another version, or of another hand, is as good as none. */
function parse(text: string): CachedToken | undefined {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    return undefined
  }
  return isCachedToken(read) ? read : undefined
}

function isCachedToken(value: unknown): value is CachedToken {
  if (typeof value !== 'object' || value === null) return false
  const read = (name: string): unknown => Reflect.get(value, name)
  const token = read('value')
  const type = read('type')
  const scopes = read('scopes')
  return (
    typeof token === 'string' &&
    isAccessToken(token) &&
    (type === 'Bearer' || type === 'DPoP') &&
    Array.isArray(scopes) &&
    scopes.every((scope) => typeof scope === 'string') &&
    Number.isInteger(read('requestedAt')) &&
    Number.isInteger(read('expiresAt'))
  )
}
