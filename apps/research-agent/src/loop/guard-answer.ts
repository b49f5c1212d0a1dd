// Whether an answer may go out, or goes back to the model with what was wrong with it. Pure.
import type { DroppedSentence } from '@deputy/contracts/research'
import { formatCitation } from './citation-mark.ts'
import type { VerifiedAnswer } from './verify-answer.ts'

export type GuardDecision =
  | { readonly decision: 'pass' }
  | { readonly decision: 'back'; readonly reason: string; readonly message: string }

/** Lets an answer pass in which anything is supported, and any answer that has been back often enough. */
export function guardAnswer(
  { dropped, sentences }: Pick<VerifiedAnswer, 'dropped' | 'sentences'>,
  backsLeft: number,
): GuardDecision {
  if (sentences.length > 0 || dropped.length === 0 || backsLeft <= 0) return { decision: 'pass' }
  const faults = dropped.map((one) => `- ${describe(one)}`)
  const message = `No sentence of this answer is supported:\n${faults.join('\n')}\nLook again, and cite what a tool showed you.`
  return { decision: 'back', reason: 'nothing_supported', message }
}

const WORDS: Record<DroppedSentence['reason'], string> = {
  citation_missing: 'has no citation',
  document_unknown: 'cites a document that is not there',
  lines_unknown: 'cites lines where nothing stands',
  range_too_wide: 'cites too many lines',
  not_supported: 'says what its lines do not',
}

function describe({ citation, reason, text }: DroppedSentence): string {
  const where = citation === undefined ? '' : ` ${formatCitation(citation)}`
  return `"${text.slice(0, 200)}"${where} ${WORDS[reason]}`
}
