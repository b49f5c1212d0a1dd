import type { Principal } from '../principal.ts'
import { startTimer, systemClock, type Clock, type Timer } from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { RevocationCheck } from './revocation-check.ts'

export type WatchAuthorityOptions = {
  readonly onEnd: (refusal: CredentialRefusal) => void
  readonly revocations?: RevocationCheck | undefined
  readonly clock?: Clock | undefined
}

/** Calls back, once, when the authority of a caller ends, unless the function that it returns is called before. */
export function watchAuthority(principal: Principal, options: WatchAuthorityOptions): () => void {
  const { clock = systemClock, onEnd, revocations } = options
  const { expiresAt } = principal
  let timer: Timer | undefined
  const end = (refusal: CredentialRefusal): void => {
    stop()
    onEnd(refusal)
  }
  const unwatch = revocations?.watch(principal, () => {
    end({ reason: 'token_revoked' })
  })
  const stop = (): void => {
    timer?.cancel()
    unwatch?.()
  }
  if (expiresAt === undefined) return stop
  const wait = (): void => {
    const ms = clock.msUntil?.(expiresAt) ?? (expiresAt - clock.now()) * 1000
    timer = startTimer(clock, ms, () => {
      // Again, if a timer cannot wait so long, fired a moment early, or the clock was set back.
      if (clock.now() >= expiresAt) end({ reason: 'token_expired', expiredAt: expiresAt })
      else wait()
    })
  }
  wait()
  return stop
}
