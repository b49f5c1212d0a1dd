// Asking for more on `insufficient_scope`, within what the caller's policy allows. Attack prevented: an
// agent that answers with one scope after the other, until its caller has asked for everything it may
// have. Bound: a scope is asked for once a client, and all of them together a few times.
import type { ClientError } from './error/client-error.ts'

/** Scopes that may be asked for when an agent wants them; `false` (the default) asks for none. */
export type StepUpPolicy = false | readonly string[] | ((scope: string) => boolean)

export type StepUp = {
  /** What was asked for so far, beside the client's own scopes. */
  granted(): readonly string[]
  /** Answers a refusal: everything to ask for now, or `undefined` where asking is not allowed or was in vain. */
  ask(refusal: Pick<ClientError, 'grantedScopes' | 'requiredScopes'>): readonly string[] | undefined
}

/** Times that a client asks for more, at most. */
const MAX_STEPS = 5

/** Creates the state of one client. */
export function createStepUp(policy: StepUpPolicy): StepUp {
  const allows = (scope: string): boolean => {
    if (policy === false) return false
    return typeof policy === 'function' ? policy(scope) : policy.includes(scope)
  }
  const asked = new Set<string>()
  let steps = 0

  return Object.freeze({
    granted: () => [...asked],
    ask({ grantedScopes, requiredScopes }: Pick<ClientError, 'grantedScopes' | 'requiredScopes'>) {
      const missing = requiredScopes.filter((scope) => !grantedScopes.includes(scope))
      if (missing.length === 0 || !missing.every(allows)) return undefined
      const isNew = missing.some((scope) => !asked.has(scope))
      // Of several calls at once the first one asks, and the others send what it asked for.
      if (isNew && steps >= MAX_STEPS) return undefined
      if (isNew) steps += 1
      for (const scope of missing) asked.add(scope)
      return [...asked]
    },
  })
}
