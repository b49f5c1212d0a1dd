// Watches over a caller with an API key. A key has no life of its own as a token has: what changes about it, or its agent,
// counts on the next call, and has to count for what is under way as well.
import type { Principal } from '../principal.ts'
import type { Result } from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { ApiKeyRefusal } from './api-key-verifier.ts'

export type ApiKeyWatch = {
  /** Verifies the key again. */
  readonly verify: () => Promise<Result<Principal, ApiKeyRefusal>>
  /** Calls back whenever something may have changed, until the function that it returns is called. */
  readonly watchChanges: (principal: Principal, onChange: () => Promise<void>) => () => void
  /** Calls back, once, when the principal is denied or expires. */
  readonly watchEnd: (
    principal: Principal,
    onEnd: (refusal: CredentialRefusal) => void,
  ) => () => void
}

/**
 * Calls back, once, when the caller's authority ends or becomes less, unless the function that it returns is called before.
 *
 * Attack prevented: a stream of a key that goes on for ever after its scopes were taken away, or it was superseded.
 */
export function watchApiKey(
  principal: Principal,
  { verify, watchChanges, watchEnd }: ApiKeyWatch,
  onEnd: (refusal: CredentialRefusal) => void,
): () => void {
  let isOver = false
  let { expiresAt } = principal
  let unwatchEnd = watchEnd(principal, endKey)
  const unwatchChanges = watchChanges(principal, recheck)

  function stop(): void {
    isOver = true
    unwatchEnd()
    unwatchChanges()
  }

  function end(refusal: CredentialRefusal): void {
    if (isOver) return
    stop()
    onEnd(refusal)
  }

  /** Denied or expired: said as it would be on the next call. */
  function endKey(refusal: CredentialRefusal): void {
    end(refusal.reason === 'verifier_unavailable' ? refusal : { reason: 'api_key_invalid' })
  }

  async function recheck(): Promise<void> {
    // While it waited for its turn.
    if (isOver) return
    const found = await verify().catch(unavailable)
    if (isOver) return
    if (!found.ok) {
      const { refusal } = found
      end(refusal.reason === 'rate_limited' ? unavailable().refusal : refusal)
    } else if (isLess(found.value, principal)) {
      // Whoever comes back with the key has what is left.
      end({ reason: 'token_revoked' })
    } else if (found.value.expiresAt !== expiresAt) {
      expiresAt = found.value.expiresAt
      unwatchEnd()
      unwatchEnd = watchEnd(found.value, endKey)
    }
  }

  return stop
}

/** Whether it may do less than before, or may be held to other limits. */
function isLess(now: Principal, before: Principal): boolean {
  return (
    before.scopes.some((scope) => !now.scopes.includes(scope)) ||
    JSON.stringify(now.limits) !== JSON.stringify(before.limits)
  )
}

function unavailable() {
  const detail = 'whether the API key is still good could not be asked'
  return { ok: false, refusal: { reason: 'verifier_unavailable', detail } } as const
}
