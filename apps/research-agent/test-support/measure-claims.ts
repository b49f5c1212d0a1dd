// How well the verifier tells what a model may say of a document from what it may not: paraphrases that are marked
// true or false by hand, each citing the sentence that it is about.
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { verifyAnswer } from '../src/loop/verify-answer.ts'
import type { PinnedDocuments } from './measure-quality.ts'
import { openSilentReader } from './parse-in-process.ts'

const LabelledClaim = z.object({
  text: z.string(),
  file: z.string(),
  /** A piece of the sentence that is cited. */
  says: z.string(),
  isTrue: z.boolean(),
  /** Written after the verifier: nothing is tuned by it. */
  heldOut: z.boolean(),
})

/** Checks each, and answers with whether it passed. */
export async function verifyLabelledClaims({ documents }: PinnedDocuments) {
  const source = await readFile(new URL('claims.json', import.meta.url), 'utf8')
  const claims = z.array(LabelledClaim).parse(JSON.parse(source))
  const reader = openSilentReader(documents)
  const verdicts = []
  for (const claim of claims) {
    const { file, says, text } = claim
    const document = await reader.open(file)
    const cited = document?.sentences.find((sentence) => sentence.text.includes(says))
    if (cited === undefined) throw new Error(`no sentence of ${file} says ${says}`)
    const { endLine, page, startLine } = cited
    const citation = { file, ...(page === undefined ? {} : { page }), startLine, endLine }
    const { sentences } = await verifyAnswer(reader, [{ text, citations: [citation] }], 1)
    verdicts.push({ ...claim, isPassed: sentences.length === 1 })
  }
  return verdicts
}

type Verdict = Awaited<ReturnType<typeof verifyLabelledClaims>>[number]

/** Of what passed, the share that is true; and of what is true, the share that passed. */
export function summarizeVerdicts(verdicts: readonly Verdict[]) {
  const passed = verdicts.filter(({ isPassed }) => isPassed)
  const isTrue = verdicts.filter((verdict) => verdict.isTrue)
  const both = passed.filter((verdict) => verdict.isTrue).length
  return {
    claims: verdicts.length,
    supportedOfPassed: both / passed.length,
    passedOfTrue: both / isTrue.length,
  }
}
