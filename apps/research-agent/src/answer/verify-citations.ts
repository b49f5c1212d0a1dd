import type { Brief } from '@deputy/contracts/research'
import type { DocumentIndex } from '../documents/document-index.ts'
import { readDocument, type ReadDocument } from '../documents/read-document.ts'

export type CitedSentence = Brief['sentences'][number]

export type VerifiedSentences = {
  readonly sentences: readonly CitedSentence[]
  /** The documents that the sentences stand in, as they are on disk now. */
  readonly documents: readonly { readonly file: string; readonly sha256: string }[]
}

/**
 * Reads the cited lines again from disk and keeps the sentences that stand there word for word: a file
 * may have changed since it was indexed.
 */
export async function verifyCitations(
  index: Pick<DocumentIndex, 'find'>,
  sentences: readonly CitedSentence[],
): Promise<VerifiedSentences> {
  const contents = new Map<string, ReadDocument | undefined>()
  const kept: CitedSentence[] = []
  for (const sentence of sentences) {
    const { file } = sentence.citation
    if (!contents.has(file)) contents.set(file, await readAgain(index, file))
    if (standsThere(contents.get(file), sentence)) kept.push(sentence)
  }
  const files = new Set(kept.map(({ citation }) => citation.file))
  const documents = [...files].flatMap((file) => {
    const content = contents.get(file)
    return content === undefined ? [] : [{ file, sha256: content.sha256 }]
  })
  return { sentences: kept, documents }
}

async function readAgain(
  index: Pick<DocumentIndex, 'find'>,
  file: string,
): Promise<ReadDocument | undefined> {
  const document = await index.find(file)
  return document && readDocument(document.path).catch(() => undefined)
}

function standsThere(
  content: ReadDocument | undefined,
  { citation, text }: CitedSentence,
): boolean {
  return (content?.passages ?? []).some((passage) =>
    passage.sentences.some(
      (sentence) =>
        sentence.text === text &&
        sentence.startLine === citation.startLine &&
        sentence.endLine === citation.endLine,
    ),
  )
}
