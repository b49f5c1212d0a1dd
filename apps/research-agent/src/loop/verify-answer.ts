// Every sentence of a brief is supported by the lines that it cites, as they are on disk now.
import type { Brief, Citation, DroppedSentence } from '@deputy/contracts/research'
import {
  findSentences,
  type CurrentDocument,
  type DocumentReader,
} from '../documents/document-reader.ts'
import type { Claim } from './citation-mark.ts'
import { isSupported } from './supports.ts'

export type CitedSentence = Brief['sentences'][number]

export type VerifiedAnswer = {
  readonly sentences: readonly CitedSentence[]
  readonly dropped: readonly DroppedSentence[]
  /** The documents that the sentences stand in, as they are on disk now. */
  readonly documents: readonly { readonly file: string; readonly sha256: string }[]
}

/** Most lines that one citation may name: a whole document would support anything. */
const MAX_RANGE = 40

/** Checks each claim, and keeps at most so many, each said once. */
export async function verifyAnswer(
  reader: DocumentReader,
  claims: readonly Claim[],
  maxSentences: number,
): Promise<VerifiedAnswer> {
  const sentences: CitedSentence[] = []
  const dropped: DroppedSentence[] = []
  const documents = new Map<string, string>()
  const said = new Set<string>()
  for (const claim of claims) {
    const verdict = await checkClaim(reader, claim)
    if ('reason' in verdict) dropped.push(verdict)
    else if (sentences.length < maxSentences && !said.has(verdict.text)) {
      said.add(verdict.text)
      sentences.push({ text: verdict.text, citation: verdict.citation })
      documents.set(verdict.citation.file, verdict.sha256)
    }
  }
  return {
    sentences,
    dropped,
    documents: [...documents].map(([file, sha256]) => ({ file, sha256 })),
  }
}

type Supported = CitedSentence & { readonly sha256: string }

async function checkClaim(
  reader: DocumentReader,
  { citations, text }: Claim,
): Promise<Supported | DroppedSentence> {
  let worst: DroppedSentence = { text, reason: 'citation_missing' }
  for (const citation of citations) {
    const document = await reader.open(citation.file)
    const reason = await findFault(document, { text, citation })
    if (reason === undefined && document !== undefined) {
      return { text, citation, sha256: document.sha256 }
    }
    worst = { text, citation, reason: reason ?? 'document_unknown' }
  }
  return worst
}

async function findFault(
  document: CurrentDocument | undefined,
  { citation, text }: { readonly citation: Citation; readonly text: string },
): Promise<DroppedSentence['reason'] | undefined> {
  if (document === undefined) return 'document_unknown'
  const { endLine, page, startLine } = citation
  if (endLine - startLine >= MAX_RANGE) return 'range_too_wide'
  const standing = findSentences(document, citation)
  const sentences = standing.map((sentence) => sentence.text)
  // Lines count where nothing on them is a sentence.
  const lines = sentences.length > 0 ? [] : await document.lines(page).catch(() => [])
  const cited = lines.slice(startLine - 1, endLine)
  const headings = [...new Set(standing.map(({ heading }) => heading))].join(' ')
  if (sentences.length === 0 && cited.join('').trim() === '') return 'lines_unknown'
  return isSupported(text, { sentences, headings, lines: cited.join(' ') })
    ? undefined
    : 'not_supported'
}
