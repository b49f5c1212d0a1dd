// What a DPoP proof is made of (RFC 9449 §4.2).
import * as z from 'zod'
import { NonEmptyText, OptionalText } from './text.ts'

/** The JOSE `typ` of a proof. */
export const DPOP_PROOF_TYPE = 'dpop+jwt'

/** The JOSE header. `jwk` is read by `parsePublicJwk`; a `crit` member asks for what is not known here. */
export const DpopProofHeader = z.object({
  typ: z.unknown().optional(),
  alg: z.unknown().optional(),
  jwk: z.unknown().optional(),
  crit: z.never().optional(),
})
export type DpopProofHeader = z.infer<typeof DpopProofHeader>

/** Longest `jti` of a proof, in characters. */
const MAX_JTI_CHARS = 256

/** The payload. Unknown claims are left out. */
export const DpopProofClaims = z.object({
  jti: NonEmptyText.max(MAX_JTI_CHARS),
  htm: NonEmptyText,
  htu: NonEmptyText,
  /** Seconds, maybe not whole (RFC 7519 §2). */
  iat: z.number(),
  /** Hash of the access token that the proof goes with. */
  ath: OptionalText,
  nonce: OptionalText,
})
export type DpopProofClaims = z.infer<typeof DpopProofClaims>
