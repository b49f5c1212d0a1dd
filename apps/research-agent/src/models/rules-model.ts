// A planner by rules, behind the interface of a language model: it drives the same loop where no model is
// configured. It understands nothing: it searches for what the task names, quotes what fits best, and cites it.
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4Message,
  LanguageModelV4StreamPart,
} from '@ai-sdk/provider'
import { QuoteAnswer, SearchAnswer, type SearchResult } from '@deputy/contracts/documents'
import { formatCitation } from '../loop/citation-mark.ts'
import { NO_ANSWER, TASK } from '../loop/prompt.ts'

/** What briefs and traces call it. */
export const RULES_LABEL = 'rules'

const SEARCH = 'documents_search'
const QUOTE = 'documents_quote'

/** It costs no tokens. */
const NO_USAGE = {
  inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 0, text: 0, reasoning: 0 },
}

/** Creates the planner. */
export function createRulesModel(): LanguageModelV4 {
  const decide = (options: LanguageModelV4CallOptions): LanguageModelV4GenerateResult => {
    const content = act(options.prompt)
    const isCalling = content.some(({ type }) => type === 'tool-call')
    const unified = isCalling ? 'tool-calls' : 'stop'
    return { content, finishReason: { unified, raw: undefined }, usage: NO_USAGE, warnings: [] }
  }
  return {
    specificationVersion: 'v4',
    provider: 'deputy',
    modelId: RULES_LABEL,
    supportedUrls: {},
    doGenerate: async (options) => decide(options),
    doStream: async (options) => ({ stream: ReadableStream.from(toParts(decide(options))) }),
  }
}

/** Searches first, then quotes the best, then answers with what was quoted. */
function act(prompt: readonly LanguageModelV4Message[]): LanguageModelV4Content[] {
  const task = readTask(prompt)
  const quotes = readAnswers(prompt, QUOTE, QuoteAnswer)
  const searches = readAnswers(prompt, SEARCH, SearchAnswer)
  const found = searches.map(({ results }) => results.filter(isToThePoint))
  const best = interleave(found).slice(0, task.maxSentences)
  if (quotes.length > 0) {
    const standing = quotes.flatMap((answer) => answer.quotes)
    const lines = best
      .filter((one) => standing.some((quote) => isFrom(quote, one)))
      .map((one) => `${one.text} ${formatCitation(one)}`)
    return [{ type: 'text', text: lines.length > 0 ? lines.join('\n') : NO_ANSWER }]
  }
  if (hasCalled(prompt)) {
    if (best.length === 0) return [{ type: 'text', text: NO_ANSWER }]
    return [toCall('quote', QUOTE, { citations: best.map(toCitation) })]
  }
  const limit = Math.max(task.maxSentences, 5)
  return task.searches.map((query, at) => toCall(`search-${String(at)}`, SEARCH, { query, limit }))
}

/** Below this share of the question a sentence is about something else. */
const MIN_COVERAGE = 0.55
/** A sentence worth less than this share of the best one only dilutes the answer. */
const MIN_OF_BEST = 0.6

function isToThePoint(one: SearchResult, _: number, all: readonly SearchResult[]): boolean {
  const best = Math.max(...all.map(({ score }) => score))
  return one.coverage >= MIN_COVERAGE && one.score >= best * MIN_OF_BEST
}

function readTask(prompt: readonly LanguageModelV4Message[]) {
  const first = prompt.find(({ role }) => role === 'user')
  const text =
    first?.role === 'user'
      ? first.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')
      : ''
  const values = (mark: string): readonly string[] =>
    text.split('\n').flatMap((line) => (line.startsWith(mark) ? [line.slice(mark.length)] : []))
  return { searches: values(TASK.search), maxSentences: Number(values(TASK.atMost)[0] ?? 1) }
}

function hasCalled(prompt: readonly LanguageModelV4Message[]): boolean {
  return prompt.some(({ role }) => role === 'tool')
}

type Schema<Answer> = { safeParse(value: unknown): { readonly data?: Answer | undefined } }

function readAnswers<Answer>(
  prompt: readonly LanguageModelV4Message[],
  tool: string,
  schema: Schema<Answer>,
): readonly Answer[] {
  return prompt
    .flatMap((message) => (message.role === 'tool' ? message.content : []))
    .flatMap((part) =>
      part.type === 'tool-result' && part.toolName === tool && part.output.type === 'json'
        ? [schema.safeParse(part.output.value).data]
        : [],
    )
    .filter((answer) => answer !== undefined)
}

/** The best of each search, then the second best of each, each sentence once. */
function interleave(lists: readonly (readonly SearchResult[])[]): readonly SearchResult[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length))
  const seen = new Set<string>()
  const merged: SearchResult[] = []
  for (let rank = 0; rank < longest; rank += 1) {
    for (const list of lists) {
      const one = list[rank]
      if (one === undefined || seen.has(one.text)) continue
      seen.add(one.text)
      merged.push(one)
    }
  }
  return merged
}

type Place = Pick<SearchResult, 'file' | 'page' | 'startLine' | 'endLine'>

function toCitation({ endLine, file, page, startLine }: Place) {
  return { file, ...(page === undefined ? {} : { page }), startLine, endLine }
}

function isFrom(
  quote: Place & { readonly sentences: readonly string[] },
  one: SearchResult,
): boolean {
  return formatCitation(quote) === formatCitation(one) && quote.sentences.includes(one.text)
}

function toCall(toolCallId: string, toolName: string, input: object): LanguageModelV4Content {
  return { type: 'tool-call', toolCallId, toolName, input: JSON.stringify(input) }
}

function* toParts(result: LanguageModelV4GenerateResult): Generator<LanguageModelV4StreamPart> {
  yield { type: 'stream-start', warnings: [] }
  for (const part of result.content) {
    if (part.type === 'tool-call') yield part
    if (part.type !== 'text') continue
    yield { type: 'text-start', id: 'text' }
    yield { type: 'text-delta', id: 'text', delta: part.text }
    yield { type: 'text-end', id: 'text' }
  }
  yield { type: 'finish', finishReason: result.finishReason, usage: result.usage }
}
