// The manifest: every MUST, MUST NOT, REQUIRED and SHALL of the standards that Deputy answers to.
import type { Requirement } from './requirement.ts'
import { RFC_7009 } from './requirements/rfc7009.ts'

export const REQUIREMENTS = { ...RFC_7009 } as const

type Manifest = typeof REQUIREMENTS

/** Ids that tests cite. One that is unknown, or that does not apply, does not compile. */
export type RequirementId = {
  [Id in keyof Manifest]: Manifest[Id] extends { readonly notApplicable: string } ? never : Id
}[keyof Manifest]

/** The manifest as a list. */
export const listRequirements = (): [string, Requirement][] => Object.entries(REQUIREMENTS)
