// What a model may do with documents: look for passages, read lines, and quote. Research offers it to its
// own model, in its own process; briefs are what it sells. Nothing here changes anything.
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import * as z from 'zod'
import { Citation } from './research.ts'

export const SearchInput = z.object({
  query: z.string().trim().min(1).max(500).describe('words or a question'),
  limit: z.int().min(1).max(20).default(8),
})
export type SearchInput = z.infer<typeof SearchInput>

/** A sentence that fits, with where it stands and what stands around it. */
export const SearchResult = Citation.extend({
  heading: z.string().describe('the headings above it'),
  text: z.string().describe('the sentence, word for word'),
  snippet: z.string().describe('of its passage, with the words that fit in [brackets]'),
  score: z.number().describe('higher fits better, within one answer'),
  coverage: z
    .number()
    .min(0)
    .max(1)
    .describe('how much of the question it speaks of, by the rarity of the words'),
})
export type SearchResult = z.infer<typeof SearchResult>

export const SearchAnswer = z.object({ results: z.array(SearchResult) })
export type SearchAnswer = z.infer<typeof SearchAnswer>

/** Most lines that are read at once. */
export const MAX_LINES = 80

export const ReadInput = Citation
export type ReadInput = z.infer<typeof ReadInput>

export const ReadAnswer = Citation.extend({
  lines: z.array(z.object({ line: z.int(), text: z.string() })),
})
export type ReadAnswer = z.infer<typeof ReadAnswer>

export const QuoteInput = z.object({ citations: z.array(Citation).min(1).max(20) })
export type QuoteInput = z.infer<typeof QuoteInput>

/** What stands now on the lines that were asked for: empty where there is nothing. */
export const QuoteAnswer = z.object({
  quotes: z.array(Citation.extend({ sentences: z.array(z.string()) })),
})
export type QuoteAnswer = z.infer<typeof QuoteAnswer>

/** The port that research implements. */
export type DocumentService = {
  search(input: SearchInput): Promise<SearchAnswer>
  read(input: ReadInput): Promise<ReadAnswer>
  quote(input: QuoteInput): Promise<QuoteAnswer>
}

/** Whoever may have a brief made may have its documents searched for it. */
const NEEDS = { scopes: ['research:write'] } as const

/** Creates the router over an implementation of the port. */
export function createDocumentRouter(service: DocumentService) {
  return agentRouter({
    documents: agentRouter({
      search: scopedProcedure(NEEDS)
        .input(SearchInput)
        .output(SearchAnswer)
        .query(async ({ input }) => service.search(input)),
      read: scopedProcedure(NEEDS)
        .input(ReadInput)
        .output(ReadAnswer)
        .query(async ({ input }) => service.read(input)),
      quote: scopedProcedure(NEEDS)
        .input(QuoteInput)
        .output(QuoteAnswer)
        .query(async ({ input }) => service.quote(input)),
    }),
  })
}
export type DocumentRouter = ReturnType<typeof createDocumentRouter>
