// One thing that a standard demands. The manifest of them is pure data: what is demanded, of whom, and
// whether Deputy is one of those. How it is met is said by the tests that cite it (`verifies`).

/** The capitals of RFC 2119; `FACT` is a flat sentence of a standard that is checked like a demand. */
export type Level = 'MUST' | 'MUST NOT' | 'REQUIRED' | 'SHALL' | 'FACT'

export type Requirement = {
  readonly level: Level
  /** Whom the sentence binds. */
  readonly binds: 'authorization server' | 'resource server' | 'client' | 'anybody'
  /** What is demanded, shortened. */
  readonly text: string
  /** Where Deputy asks for more, or allows less, than the sentence does. */
  readonly stricter?: string
  /** Why it cannot be tested here; without it, a test must cite the requirement. */
  readonly notApplicable?: string
}

/** What one RFC demands, by ids `rfc<number>-<section>-<what>`, which never change. */
export type RequirementsOf = Readonly<Record<`rfc${number}-${string}`, Requirement>>

export type RequirementPlace = { readonly rfc: number; readonly section: string }

/** Reads the RFC and the section from an id. Throws `TypeError` for what is no id. */
export function toPlace(id: string): RequirementPlace {
  const [, rfc, section] = /^rfc(\d{4})-(\d+(?:\.\d+)*)-[a-z0-9]+(?:-[a-z0-9]+)*$/.exec(id) ?? []
  if (rfc === undefined || section === undefined) {
    throw new TypeError(`a requirement's id reads rfc<number>-<section>-<what>, not ${id}`)
  }
  return { rfc: Number(rfc), section }
}
