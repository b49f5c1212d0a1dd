// The form of a vector. Whoever writes a runner in another language needs this and README.md.
import * as z from 'zod'

/** A value, or `$step` for the token that a step got, `$step!forged` for it with its claims changed. */
const Value = z.string()

const Expectation = z.strictObject({
  /** The answer is a refusal with one of these codes. */
  error: z.array(z.string()).min(1).optional(),
  /** Claims of the token, exactly; `null` for one that must not be there. */
  claims: z.record(z.string(), z.unknown()).optional(),
  /** Members of the answer, exactly. */
  response: z.record(z.string(), z.unknown()).optional(),
  /** The token ends no later than that of the step. */
  notAfter: z.string().optional(),
  /** `grant_path` is that of the step's token, and one more. */
  extendsPath: z.string().optional(),
  /** Every member of `authorization_details` of the step's token is in this one's. */
  keepsLimitsOf: z.string().optional(),
  /** The smallest amount among the budgets of the token. */
  smallestBudget: z.string().optional(),
  /** `cnf.jkt` is the thumbprint of the key. */
  boundTo: z.string().optional(),
})
export type Expectation = z.infer<typeof Expectation>

const TokenStep = z.strictObject({
  name: z.string(),
  /** The agent that authenticates, by `client_secret_basic`. */
  as: z.string(),
  /** The form that is posted to the token endpoint. */
  form: z.record(z.string(), Value),
  /** The name of the key that a DPoP proof is made with; each name is a fresh key in every run. */
  dpop: z.string().optional(),
  /** Left out: the answer must be a token. */
  expect: Expectation.optional(),
  /** Where an issuer does not know what is asked for, the vector does not apply to it. */
  optional: z.boolean().optional(),
})
export type TokenStep = z.infer<typeof TokenStep>

/** Ends a token by RFC 7009. */
const RevokeStep = z.strictObject({ revoke: Value, as: z.string() })

export const Vector = z.strictObject({
  id: z.string(),
  title: z.string(),
  cites: z.string(),
  steps: z.array(z.union([TokenStep, RevokeStep])).min(1),
})
export type Vector = z.infer<typeof Vector>

/** The agents that an issuer needs before the vectors run. */
export const VectorWorld = z.object({
  scopesSupported: z.array(z.string()),
  authorizationDetailsTypes: z.array(z.string()),
  agents: z.array(
    z.object({
      id: z.string(),
      scopes: z.array(z.string()),
      audiences: z.array(z.string()),
      delegation: z.object({ to: z.array(z.string()), maxDepth: z.int() }),
    }),
  ),
})
export type VectorWorld = z.infer<typeof VectorWorld>
