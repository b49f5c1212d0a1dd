// The gate: what the manifest demands against what tests cite.
import type { Requirement } from './requirement.ts'

/** One test, as it was declared. */
export type Citation = {
  readonly ids: readonly string[]
  readonly title: string
  readonly isKnownFailure: boolean
}

/** Ids of requirements that apply and that no test cites. */
export function findUncited(
  requirements: readonly (readonly [string, Requirement])[],
  citations: readonly Citation[],
): readonly string[] {
  const cited = new Set(citations.flatMap(({ ids }) => ids))
  return requirements.flatMap(([id, { notApplicable }]) =>
    notApplicable === undefined && !cited.has(id) ? [id] : [],
  )
}

/** Ids that tests cite although nothing demands them, or nothing demands them of Deputy. */
export function findUnfounded(
  requirements: readonly (readonly [string, Requirement])[],
  citations: readonly Citation[],
): readonly string[] {
  const applying = new Set(
    requirements.flatMap(([id, { notApplicable }]) => (notApplicable === undefined ? [id] : [])),
  )
  return citations.flatMap(({ ids }) => ids).filter((id) => !applying.has(id))
}
