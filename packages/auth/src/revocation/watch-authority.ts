import type { Principal } from '../principal.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { ExpiryWatch } from './expiry-watch.ts'
import type { Recheck } from './revocation-view.ts'
import type { RevocationCheck } from './revocation-check.ts'

export type AuthorityWatch = {
  readonly expiries: ExpiryWatch
  readonly revocations?: RevocationCheck | undefined
  /** Asks about the caller while nobody would be told of its end. */
  readonly recheck: Recheck
}

/** Calls back, once, when the authority of a caller ends, unless the function that it returns is called before. */
export function watchAuthority(
  principal: Principal,
  { expiries, recheck, revocations }: AuthorityWatch,
  onEnd: (refusal: CredentialRefusal) => void,
): () => void {
  const { expiresAt } = principal
  const stop = (): void => {
    stopExpiry?.()
    unwatch?.()
  }
  const end = (refusal: CredentialRefusal): void => {
    stop()
    onEnd(refusal)
  }
  const unwatch = revocations?.watch(
    principal,
    (refusal = { reason: 'token_revoked' }) => {
      end(refusal)
    },
    recheck,
  )
  const stopExpiry =
    expiresAt === undefined
      ? undefined
      : expiries.add(expiresAt, () => {
          end({ reason: 'token_expired', expiredAt: expiresAt })
        })
  return stop
}
