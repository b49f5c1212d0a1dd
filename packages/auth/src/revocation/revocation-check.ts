// Whether a verified caller may still go on: by what this agent knows, and by asking the authorization
// server where it has not heard from it for too long.
import type { Principal } from '../principal.ts'
import { accept, refuse, type Clock, type Result } from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { Introspect } from '../verify/introspect.ts'
import { recheckWatched } from './recheck-watched.ts'
import type { OnDenied, Recheck, RevocationView } from './revocation-view.ts'

/** A port with two adapters: this one, and the authorization server's own store. */
export type RevocationCheck = {
  /** @param token what the caller sent, to ask about where that is needed */
  check(principal: Principal, token: string): Promise<Result<Principal, CredentialRefusal>>
  /**
   * Calls back, once, when the caller is denied, unless the function that it returns is called before. `recheck` is asked
   * again and again while nobody would be told.
   */
  watch(principal: Principal, onDenied: OnDenied, recheck?: Recheck): () => void
}

/** The choice between safety and uptime, in seconds. See SECURITY.md. */
export type StalenessPolicy = {
  /** How long a view counts without a word from the feed. Default 60. */
  readonly maxStalenessSeconds?: number | undefined
  /**
   * How long after that it goes on to count when nobody can be asked either; then every caller is
   * refused. Default 300; 0 refuses at once.
   */
  readonly graceSeconds?: number | undefined
}

export type RevocationCheckOptions = StalenessPolicy & {
  readonly view: RevocationView
  readonly introspect: Introspect
  readonly clock: Clock
}

/** Creates the check. */
export function createRevocationCheck(options: RevocationCheckOptions): RevocationCheck {
  const { clock, introspect, view } = options
  const maxStalenessSeconds = options.maxStalenessSeconds ?? 60
  const graceSeconds = options.graceSeconds ?? 300

  function getAgeSeconds(): number {
    const { heardAt } = view
    return heardAt === undefined ? Number.POSITIVE_INFINITY : clock.now() - heardAt
  }

  recheckWatched({
    view,
    clock,
    isStale: () => getAgeSeconds() > maxStalenessSeconds,
    isGraceOver: () => getAgeSeconds() > maxStalenessSeconds + graceSeconds,
  })

  return Object.freeze({
    async check(principal: Principal, token: string) {
      if (view.isDenied(principal)) return refuse({ reason: 'token_revoked' as const })
      const ageSeconds = getAgeSeconds()
      if (ageSeconds <= maxStalenessSeconds) return accept(principal)
      // A key was asked about on the way in.
      if (principal.credential.kind === 'api_key') return accept(principal)
      const answered = await introspect(token)
      if (answered.ok) {
        return answered.value.active
          ? accept(principal)
          : refuse({ reason: 'token_revoked' as const })
      }
      return ageSeconds <= maxStalenessSeconds + graceSeconds ? accept(principal) : answered
    },

    watch: (principal: Principal, onDenied: OnDenied, recheck?: Recheck) =>
      view.watch(principal, onDenied, recheck),
  })
}
