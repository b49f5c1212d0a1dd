// What to look for first, and with which tools: those that the present token reaches and the question needs.
import type { Classified } from './classify-question.ts'

export type Plan = {
  /** Searches to begin with, best first. */
  readonly searches: readonly string[]
  /** Names of the tools that the model is shown. */
  readonly tools: readonly string[]
}

/** Only a question about an account needs what an account holds. */
const ABOUT_ACCOUNTS = /^billing_/

/** Plans the work. `available` are the tools within the scopes. */
export function makePlan(
  question: string,
  { kind, sides }: Classified,
  available: readonly string[],
): Plan {
  const tools = available.filter((name) => kind === 'account' || !ABOUT_ACCOUNTS.test(name))
  // The whole question finds what speaks of both sides; each side alone finds the rest.
  return { searches: [question, ...sides.filter((side) => side !== question)], tools }
}
