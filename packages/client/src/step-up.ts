// Asking for more on `insufficient_scope`, within what the caller's policy allows. Attack prevented: an
// agent that answers with one scope after the other, until its caller has asked for everything it may
// have. Bound: all in all a client asks for more a few times, and never again for what it was refused.
import type { ClientError } from './error/client-error.ts'

/** Scopes that may be asked for when an agent wants them; `false` (the default) asks for none. */
export type StepUpPolicy = false | readonly string[] | ((scope: string) => boolean)

export type StepUp = {
  /** What was got so far, beside the client's own scopes: later calls begin with it. */
  granted(): readonly string[]
  /**
   * Answers a refusal: everything to ask for now beside the client's own scopes, or `undefined` where asking
   * is not allowed, or was in vain. @param sent what the refused call was sent with beside them
   */
  ask(refusal: StepUpRefusal, sent: readonly string[]): readonly string[] | undefined
  /** Told what came of it: the authorization server gave a token for these, or refused one. */
  note(scopes: readonly string[], isGiven: boolean): void
}

type StepUpRefusal = Pick<ClientError, 'grantedScopes' | 'requiredScopes'>

/** Times that a client asks for more, at most. */
const MAX_STEPS = 5

/** Creates the state of one client. */
export function createStepUp(policy: StepUpPolicy): StepUp {
  const allows = (scope: string): boolean => {
    if (policy === false) return false
    return typeof policy === 'function' ? policy(scope) : policy.includes(scope)
  }
  const asked = new Set<string>()
  const given = new Set<string>()
  const refused = new Set<string>()
  let steps = 0

  return Object.freeze({
    granted: () => [...given],

    ask({ grantedScopes, requiredScopes }: StepUpRefusal, sent: readonly string[]) {
      const missing = requiredScopes.filter((scope) => !grantedScopes.includes(scope))
      const isHopeless = (scope: string) => !allows(scope) || refused.has(scope)
      if (missing.length === 0 || missing.some(isHopeless)) return undefined
      // Asked for, and not in the token that came: the authorization server gave less, and would again.
      if (missing.every((scope) => sent.includes(scope))) return undefined
      const isNew = missing.some((scope) => !asked.has(scope))
      // Of several calls at once the first one asks, and the others send what it asked for.
      if (isNew && steps >= MAX_STEPS) return undefined
      if (isNew) steps += 1
      for (const scope of missing) asked.add(scope)
      return [...new Set([...given, ...missing])]
    },

    note(scopes: readonly string[], isGiven: boolean) {
      for (const scope of scopes) {
        if (isGiven) given.add(scope)
        else if (!given.has(scope)) refused.add(scope)
      }
    },
  })
}
