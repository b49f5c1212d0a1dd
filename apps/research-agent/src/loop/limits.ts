// Bounds of a job's loop. A model that never ends, or an answer that never comes, costs no more than this.

/** What a job may use at most. */
export type LoopLimits = {
  /** Calls of the model. */
  readonly maxSteps: number
  readonly maxSeconds: number
  /** In and out together. */
  readonly maxTokens: number
  /** Of the model, in millionths of a US dollar. */
  readonly maxCostMicros: number
  /** Of one answer of the model. */
  readonly maxModelSeconds: number
  /** How often an answer goes back to the model because nothing in it was supported. */
  readonly maxBacks: number
}

/** For questions over documents: most are answered in three steps. */
export const DEFAULT_LIMITS: LoopLimits = {
  maxSteps: 12,
  maxSeconds: 120,
  maxTokens: 100_000,
  maxCostMicros: 250_000,
  maxModelSeconds: 60,
  maxBacks: 2,
}

/** What a job has used. */
export type LoopUse = {
  readonly steps: number
  readonly elapsedMs: number
  readonly tokens: number
  readonly costMicros: number
}

export type Bound = 'max_steps' | 'max_seconds' | 'max_tokens' | 'max_cost'

/** The first bound that is reached; `undefined` while there is room for another step. */
export function findBound(use: LoopUse, limits: LoopLimits): Bound | undefined {
  if (use.steps >= limits.maxSteps) return 'max_steps'
  if (use.elapsedMs >= limits.maxSeconds * 1000) return 'max_seconds'
  if (use.tokens >= limits.maxTokens) return 'max_tokens'
  // A model without a price costs nothing, however little it may cost.
  if (use.costMicros > 0 && use.costMicros >= limits.maxCostMicros) return 'max_cost'
  return undefined
}

/** Most tokens that a model may write in one step. */
const MAX_OUTPUT_TOKENS = 4096

/** What a step may write, so that it ends within the bounds on tokens and money. */
export function findOutputLeft(
  { costMicros, tokens }: Pick<LoopUse, 'tokens' | 'costMicros'>,
  limits: LoopLimits,
  priceOfOutput: number,
): number {
  const paid = priceOfOutput > 0 ? (limits.maxCostMicros - costMicros) / priceOfOutput : Infinity
  return Math.max(1, Math.floor(Math.min(MAX_OUTPUT_TOKENS, limits.maxTokens - tokens, paid)))
}
