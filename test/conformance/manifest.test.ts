// The gate of the suite: every requirement that applies is cited by a test. The tests of the RFCs are
// loaded here with another `verifies`, which writes down what it is told and runs nothing, so that the gate
// needs no order of files and no common process.
import { readdir } from 'node:fs/promises'
import { describe, expect, test, vi } from 'vitest'
import { findUncited, findUnfounded, type Citation } from './find-gaps.ts'
import { renderConformance } from './render-conformance.ts'
import { toPlace, type Requirement } from './requirement.ts'
import { listRequirements } from './requirements.ts'
import type { Cited } from './verifies.ts'

const { citations, record } = vi.hoisted(() => {
  const citations: Citation[] = []
  const record = (isKnownFailure: boolean) => (cited: Cited, title: string) => {
    citations.push({ ids: [cited].flat(), title, isKnownFailure })
  }
  return { citations, record }
})

vi.mock(import('./verifies.ts'), () => ({ verifies: record(false), breaks: record(true) }))

const suites = (await readdir(import.meta.dirname))
  .filter((file) => /^rfc\d{4}.*\.test\.ts$/.test(file))
  .toSorted()
for (const suite of suites) await import(/* @vite-ignore */ new URL(suite, import.meta.url).href)

const requirements = listRequirements()

test('every requirement that applies is cited by a test', () => {
  expect(findUncited(requirements, citations)).toEqual([])
})

test('no test cites what is not demanded of Deputy', () => {
  expect(findUnfounded(requirements, citations)).toEqual([])
})

test('every file of an RFC has tests, all with titles of their own', () => {
  const titles = citations.map(({ ids, title }) => `${ids.join()} ${title}`)

  expect(suites.length).toBeGreaterThan(0)
  expect(new Set(titles).size).toBe(titles.length)
})

test('every id says its RFC and its section', () => {
  for (const [id] of requirements) expect(toPlace(id).rfc).toBeGreaterThan(0)
})

test('docs/conformance.md says what the suite says', async () => {
  const page = renderConformance(requirements, citations)

  await expect(page).toMatchFileSnapshot('../../docs/conformance.md')
})

describe('the gate', () => {
  const applies: Requirement = { level: 'MUST', binds: 'client', text: 'x' }
  const manifest: [string, Requirement][] = [
    ['rfc1-1-cited', applies],
    ['rfc1-1-forgotten', applies],
    ['rfc1-1-elsewhere', { ...applies, notApplicable: 'no such thing here' }],
  ]

  test('names a requirement that no test cites', () => {
    const cited = [{ ids: ['rfc1-1-cited'], title: 't', isKnownFailure: false }]

    expect(findUncited(manifest, cited)).toEqual(['rfc1-1-forgotten'])
  })

  test('names a citation of what is unknown, or does not apply', () => {
    const ids = ['rfc1-1-cited', 'rfc1-1-unknown', 'rfc1-1-elsewhere']
    const cited = [{ ids, title: 't', isKnownFailure: false }]

    expect(findUnfounded(manifest, cited)).toEqual(['rfc1-1-unknown', 'rfc1-1-elsewhere'])
  })
})
