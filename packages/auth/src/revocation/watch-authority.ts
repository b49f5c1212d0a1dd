import type { Principal } from '../principal.ts'
import { systemClock, type Clock } from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { RevocationCheck } from './revocation-check.ts'

export type WatchAuthorityOptions = {
  readonly onEnd: (refusal: CredentialRefusal) => void
  readonly revocations?: RevocationCheck | undefined
  readonly clock?: Clock | undefined
}

/** Longer than this a timer of JavaScript cannot wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Calls back, once, when the authority of a caller ends, unless the function that it returns is called before. */
export function watchAuthority(principal: Principal, options: WatchAuthorityOptions): () => void {
  const { clock = systemClock, onEnd, revocations } = options
  const { expiresAt } = principal
  let timer: ReturnType<typeof setTimeout> | undefined
  const end = (refusal: CredentialRefusal): void => {
    stop()
    onEnd(refusal)
  }
  const unwatch = revocations?.watch(principal, () => {
    end({ reason: 'token_revoked' })
  })
  const stop = (): void => {
    clearTimeout(timer)
    unwatch?.()
  }
  if (expiresAt === undefined) return stop
  const ms = Math.min(MAX_TIMER_MS, Math.max(0, (expiresAt - clock.now()) * 1000))
  timer = setTimeout(() => {
    // A clock that was set back, or a wait longer than a timer can: whoever calls next is refused.
    if (clock.now() >= expiresAt) end({ reason: 'token_expired', expiredAt: expiresAt })
  }, ms)
  return stop
}
