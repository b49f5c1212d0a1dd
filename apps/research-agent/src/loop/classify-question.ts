// What kind of question it is, and what it is about. Pure, and the same for every model.
import { parseQuestion, type Term } from '../answer/question-terms.ts'

export const QUESTION_KINDS = ['comparison', 'account', 'how_to', 'definition', 'question'] as const
export type QuestionKind = (typeof QUESTION_KINDS)[number]

export type Classified = {
  readonly kind: QuestionKind
  readonly terms: readonly Term[]
  /** Of a comparison: what is compared. */
  readonly sides: readonly string[]
}

const VERSUS = /\s+(?:vs\.?|versus)\s+/i
const BETWEEN = /\bbetween\s+(.+?)\s+and\s+(.+?)[?.!]*$/i
const COMPARE = /\bcompare\s+(.+?)\s+(?:and|with|to)\s+(.+?)[?.!]*$/i
const ACCOUNT =
  /\b(?:my|our)\s+(?:balance|account|budget|holds?|spending)\b|\bhow much (?:money|budget)\b/i
const HOW_TO = /^(?:how (?:do|can|should|would|to)\b|what is the way to\b)/i
const DEFINITION = /^(?:what (?:is|are)\b|define\b|what does .+ mean\b)/i

/** Classifies a question. */
export function classifyQuestion(question: string): Classified {
  const terms = parseQuestion(question)
  const sides = findSides(question)
  if (sides.length > 1) return { kind: 'comparison', terms, sides }
  return { kind: toKind(question), terms, sides: [] }
}

function toKind(question: string): QuestionKind {
  if (ACCOUNT.test(question)) return 'account'
  if (HOW_TO.test(question)) return 'how_to'
  if (DEFINITION.test(question)) return 'definition'
  return 'question'
}

function findSides(question: string): readonly string[] {
  const [, first, second] = BETWEEN.exec(question) ?? COMPARE.exec(question) ?? []
  if (first !== undefined && second !== undefined) return [first, second]
  const parts = question.replace(/[?.!]+$/, '').split(VERSUS)
  return parts.length === 2 ? parts : []
}
