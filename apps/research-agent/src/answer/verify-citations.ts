import type { Brief } from '@deputy/contracts/research'
import type { DocumentIndex } from '../documents/document-index.ts'
import { hashDocument, readDocument } from '../documents/read-document.ts'

export type CitedSentence = Brief['sentences'][number]

export type VerifiedSentences = {
  readonly sentences: readonly CitedSentence[]
  /** The documents that the sentences stand in, as they are on disk now. */
  readonly documents: readonly { readonly file: string; readonly sha256: string }[]
}

/** A document as it is on disk now. */
type Current = {
  readonly sha256: string
  /** Whether the sentence stands on those lines. */
  readonly holds: (sentence: CitedSentence) => boolean
}

/**
 * Reads the cited documents again from disk and keeps the sentences that stand there word for word: a
 * file may have changed since it was indexed.
 */
export async function verifyCitations(
  index: Pick<DocumentIndex, 'find'>,
  sentences: readonly CitedSentence[],
): Promise<VerifiedSentences> {
  const files = [...new Set(sentences.map(({ citation }) => citation.file))]
  const read = files.map(async (file) => [file, await readAgain(index, file)] as const)
  const current = new Map(await Promise.all(read))
  const kept = sentences.filter((cited) => current.get(cited.citation.file)?.holds(cited) ?? false)
  const documents = files.flatMap((file) => {
    const sha256 = current.get(file)?.sha256
    const isCited = kept.some(({ citation }) => citation.file === file)
    return isCited && sha256 !== undefined ? [{ file, sha256 }] : []
  })
  return { sentences: kept, documents }
}

/** The document now; `undefined` when it cannot be read any more. */
async function readAgain(
  index: Pick<DocumentIndex, 'find'>,
  file: string,
): Promise<Current | undefined> {
  const indexed = await index.find(file)
  if (indexed === undefined) return undefined
  try {
    const sha256 = await hashDocument(indexed.path)
    // Byte for byte what was indexed: then each sentence stands where the index found it.
    if (sha256 === indexed.sha256) return { sha256, holds: () => true }
    const changed = await readDocument(indexed.path)
    const standing = new Set(
      changed.passages.flatMap((passage) =>
        passage.sentences.map(({ endLine, startLine, text }) =>
          toKey({ text, citation: { file, startLine, endLine } }),
        ),
      ),
    )
    return { sha256: changed.sha256, holds: (sentence) => standing.has(toKey(sentence)) }
  } catch {
    return undefined
  }
}

function toKey({ citation, text }: CitedSentence): string {
  return `${String(citation.startLine)}-${String(citation.endLine)} ${text}`
}
