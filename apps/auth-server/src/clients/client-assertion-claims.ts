// What a client assertion says (RFC 7523 §3), and the rules for it that need no key.
import type { EpochSeconds } from '@deputy/auth/protocol'
import * as z from 'zod'
import type { ClientAssertionRefusal } from './client-assertion-refusal.ts'

/** The JOSE header. Keys that it names or holds (`jwk`, `jku`, `x5u`) are not looked at. */
export const ClientAssertionHeader = z.object({
  alg: z.unknown().optional(),
  kid: z.string().min(1).max(256).optional(),
  /** Asks for what is not known here. */
  crit: z.never().optional(),
})
export type ClientAssertionHeader = z.infer<typeof ClientAssertionHeader>

const ClientId = z.string().min(1).max(200)

/** The payload; times in seconds, maybe not whole. Other claims are left out. */
export const ClientAssertionClaims = z.object({
  iss: ClientId,
  sub: ClientId,
  aud: z.union([z.string(), z.array(z.string()).min(1)]),
  // > The JWT MUST contain an "exp" (expiration time) claim (RFC 7523 §3)
  exp: z.number(),
  nbf: z.number().optional(),
  iat: z.number().optional(),
  // RFC 7523 §3 lets it be left out; without it nothing could be used once.
  jti: z.string().min(1).max(256),
})
export type ClientAssertionClaims = z.infer<typeof ClientAssertionClaims>

export type ClaimRules = {
  readonly acceptedAudiences: readonly string[]
  readonly now: EpochSeconds
  readonly toleranceSeconds: number
  readonly maxLifeSeconds: number
}

/** The first rule that the claims break, in the order audience, time. */
export function findBrokenRule(
  claims: ClientAssertionClaims,
  rules: ClaimRules,
): ClientAssertionRefusal | undefined {
  return checkAudience(claims, rules) ?? checkTime(claims, rules)
}

/**
 * The audience is the issuer and nobody beside it. Attack prevented: a server that a client also talks to
 * names our token endpoint as its own, gets an assertion made for it, and uses that here.
 */
function checkAudience(
  { aud }: ClientAssertionClaims,
  { acceptedAudiences }: ClaimRules,
): ClientAssertionRefusal | undefined {
  const audiences = [aud].flat()
  if (audiences.every((audience) => acceptedAudiences.includes(audience))) return undefined
  return { reason: 'assertion_audience_invalid', expected: acceptedAudiences[0] ?? '' }
}

function checkTime(
  { exp, iat, nbf }: ClientAssertionClaims,
  { maxLifeSeconds, now, toleranceSeconds }: ClaimRules,
): ClientAssertionRefusal | undefined {
  if (exp <= now - toleranceSeconds) return { reason: 'assertion_expired' }
  if (exp > now + maxLifeSeconds + toleranceSeconds) {
    return { reason: 'assertion_life_too_long', maxLifeSeconds }
  }
  const latest = now + toleranceSeconds
  if ((nbf ?? now) > latest || (iat ?? now) > latest) return { reason: 'assertion_not_yet_valid' }
  return undefined
}
