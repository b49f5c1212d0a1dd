import type { Principal } from '../principal.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { ExpiryWatch } from './expiry-watch.ts'
import type { RevocationCheck } from './revocation-check.ts'

export type AuthorityWatch = {
  readonly expiries: ExpiryWatch
  readonly revocations?: RevocationCheck | undefined
}

/** Calls back, once, when the authority of a caller ends, unless the function that it returns is called before. */
export function watchAuthority(
  principal: Principal,
  { expiries, revocations }: AuthorityWatch,
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
  const unwatch = revocations?.watch(principal, () => {
    end({ reason: 'token_revoked' })
  })
  const stopExpiry =
    expiresAt === undefined
      ? undefined
      : expiries.add(expiresAt, () => {
          end({ reason: 'token_expired', expiredAt: expiresAt })
        })
  return stop
}
