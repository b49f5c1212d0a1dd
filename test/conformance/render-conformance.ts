// Writes docs/conformance.md from the manifest and the tests that cite it.
import type { Citation } from './find-gaps.ts'
import { toPlace, type Requirement } from './requirement.ts'

/** Titles of the RFCs, in the order of the page. */
export const RFC_TITLES: Readonly<Record<number, string>> = {
  6749: 'The OAuth 2.0 Authorization Framework (§§2.3, 3.2, 3.3, 4.4, 5)',
  6750: 'Bearer Token Usage',
  7009: 'Token Revocation',
  7523: 'JWT Profile for Client Authentication',
  7662: 'Token Introspection',
  8414: 'Authorization Server Metadata',
  8707: 'Resource Indicators',
  9068: 'JWT Profile for Access Tokens',
  9449: 'Demonstrating Proof of Possession (DPoP)',
}

type Entry = readonly [id: string, requirement: Requirement]

/** Writes the page. */
export function renderConformance(
  requirements: readonly Entry[],
  citations: readonly Citation[],
): string {
  const rfcs = Object.keys(RFC_TITLES).map(Number)
  const sections = rfcs.flatMap((rfc) => {
    const own = requirements.filter(([id]) => toPlace(id).rfc === rfc)
    return own.length === 0 ? [] : [renderRfc(rfc, own, citations)]
  })
  return [INTRODUCTION, renderCounts(requirements, citations), ...sections].join('\n')
}

const INTRODUCTION = `# Conformance

What the standards demand of Deputy, and how each demand is met. This page is written from
\`test/conformance\`: the manifest in \`requirements/\` has the demands, and a test that cites one runs real
requests against a real server. A demand that no test cites fails the suite, and so does a page that does not
say what the suite says (\`vitest run test/conformance -u\` writes it anew).

MUST, MUST NOT, REQUIRED and SHALL are the words of RFC 2119. FACT is a sentence without such a word that
describes what a server does; it is held like a demand.

The manifest was compared with the texts, sentence by sentence: every MUST, MUST NOT, REQUIRED and SHALL of the named
sections of RFC 6749, of §§2 to 5 of RFC 6750, of RFC 7009, 7523, 7662, 8414, 8707 and 9449. Of RFC 9068 the text that
could be had lacks the heading and the body of §2.1; its four demands (signed, never "none", RS256 among the algorithms,
"at+jwt" in typ) are from quotations in several places, which agree to the letter. Demands are shortened here: the RFC is
what counts.
`

function renderCounts(requirements: readonly Entry[], citations: readonly Citation[]): string {
  const broken = findBroken(citations)
  const applying = requirements.filter(([, { notApplicable }]) => notApplicable === undefined)
  const met = applying.filter(([id]) => !broken.has(id))
  const count = (items: readonly unknown[]): string => String(items.length)
  const counts = [
    `${count(requirements)} demands are listed`,
    `${count(met)} are met`,
    `${String(applying.length - met.length)} broken on purpose`,
    `${String(requirements.length - applying.length)} do not apply`,
  ]
  return `${counts.join(', ')}.\n`
}

function renderRfc(
  rfc: number,
  requirements: readonly Entry[],
  citations: readonly Citation[],
): string {
  const broken = findBroken(citations)
  const applies = ([, { notApplicable }]: Entry): boolean => notApplicable === undefined
  const met = requirements.filter((entry) => applies(entry) && !broken.has(entry[0]))
  const onPurpose = requirements.filter((entry) => applies(entry) && broken.has(entry[0]))
  const others = requirements.filter((entry) => !applies(entry))
  const parts = [
    `## RFC ${String(rfc)}: ${RFC_TITLES[rfc] ?? ''}\n`,
    renderList('Met', met, (entry) => renderMet(entry, citations)),
    renderList('Broken on purpose', onPurpose, (entry) => renderMet(entry, citations)),
    renderList('Does not apply', others, renderOther),
  ]
  return parts.filter((part) => part !== '').join('\n')
}

function renderList(
  title: string,
  entries: readonly Entry[],
  render: (entry: Entry) => string,
): string {
  if (entries.length === 0) return ''
  return `### ${title}\n\n${entries.map(render).join('\n')}\n`
}

function renderMet([id, requirement]: Entry, citations: readonly Citation[]): string {
  const { stricter } = requirement
  const titles = citations.filter(({ ids }) => ids.includes(id)).map(({ title }) => title)
  return [
    `- ${renderDemand(id, requirement)}`,
    ...(stricter === undefined ? [] : [`  - Stricter: ${stricter}.`]),
    ...titles.map((title) => `  - Shown: ${title}.`),
  ].join('\n')
}

function renderOther([id, requirement]: Entry): string {
  return `- ${renderDemand(id, requirement)}\n  - Because: ${requirement.notApplicable ?? ''}.`
}

function renderDemand(id: string, { binds, level, text }: Requirement): string {
  return `§${toPlace(id).section}, ${level}, ${binds}: ${text}.`
}

function findBroken(citations: readonly Citation[]): ReadonlySet<string> {
  return new Set(citations.filter(({ isKnownFailure }) => isKnownFailure).flatMap(({ ids }) => ids))
}
