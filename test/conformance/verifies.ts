import { test } from 'vitest'
import type { RequirementId } from './requirements.ts'

/** What a test of this suite shows to be met. */
export type Cited = RequirementId | readonly RequirementId[]

/**
 * Declares a test that shows that a requirement is met. There is no way to skip one: what is declared
 * is run, and `manifest.test.ts` fails for each requirement that no test cites.
 */
export function verifies(cited: Cited, title: string, run: () => Promise<void>): void {
  // oxlint-disable-next-line vitest/expect-expect -- what is declared has them
  test(`${title} [${[cited].flat().join(', ')}]`, run)
}

/** Declares a test of a requirement that Deputy breaks, on purpose; it fails once Deputy does not. */
export function breaks(cited: Cited, title: string, run: () => Promise<void>): void {
  // oxlint-disable-next-line vitest/expect-expect -- what is declared has them
  test.fails(`${title} [${[cited].flat().join(', ')}]`, run)
}
