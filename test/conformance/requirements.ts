// The manifest: every MUST, MUST NOT, REQUIRED and SHALL of the standards that Deputy answers to.
import type { Requirement } from './requirement.ts'
import { RFC_6749 } from './requirements/rfc6749.ts'
import { RFC_6750 } from './requirements/rfc6750.ts'
import { RFC_7009 } from './requirements/rfc7009.ts'
import { RFC_7523 } from './requirements/rfc7523.ts'
import { RFC_7662 } from './requirements/rfc7662.ts'
import { RFC_8414 } from './requirements/rfc8414.ts'
import { RFC_8707 } from './requirements/rfc8707.ts'
import { RFC_9068 } from './requirements/rfc9068.ts'
import { RFC_9449 } from './requirements/rfc9449.ts'

export const REQUIREMENTS = {
  ...RFC_6749,
  ...RFC_6750,
  ...RFC_7009,
  ...RFC_7523,
  ...RFC_7662,
  ...RFC_8414,
  ...RFC_8707,
  ...RFC_9068,
  ...RFC_9449,
} as const

type Manifest = typeof REQUIREMENTS

/** Ids that tests cite. One that is unknown, or that does not apply, does not compile. */
export type RequirementId = {
  [Id in keyof Manifest]: Manifest[Id] extends { readonly notApplicable: string } ? never : Id
}[keyof Manifest]

/** The manifest as a list. */
export const listRequirements = (): [string, Requirement][] => Object.entries(REQUIREMENTS)
