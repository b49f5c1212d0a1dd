import type { Clock, EpochSeconds } from '../protocol/index.ts'
import type { Principal } from '../principal.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { ExpiryWatch } from './expiry-watch.ts'
import type { Recheck } from './revocation-view.ts'
import type { RevocationCheck } from './revocation-check.ts'

export type AuthorityWatch = {
  readonly expiries: ExpiryWatch
  readonly clock: Clock
  /** For how long after its end a credential is still taken. */
  readonly toleranceSeconds: number
  readonly revocations?: RevocationCheck | undefined
  /** Asks about the caller while nobody would be told of its end. */
  readonly recheck: Recheck
}

/** Calls back, once, when the authority of a caller ends, unless the function that it returns is called before. */
export function watchAuthority(
  principal: Principal,
  authority: AuthorityWatch,
  onEnd: (refusal: CredentialRefusal) => void,
): () => void {
  const { expiries, recheck, revocations } = authority
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
      : expiries.add(findEnd(expiresAt, authority), () => {
          end({ reason: 'token_expired', expiredAt: expiresAt })
        })
  return stop
}

/**
 * When what is begun now ends. With a credential that has ended and is still taken, once it is taken no more: ended at once,
 * it would be carried out and answered with a refusal.
 */
function findEnd(
  expiresAt: EpochSeconds,
  { clock, toleranceSeconds }: Pick<AuthorityWatch, 'clock' | 'toleranceSeconds'>,
): EpochSeconds {
  return clock.now() < expiresAt ? expiresAt : expiresAt + toleranceSeconds
}
