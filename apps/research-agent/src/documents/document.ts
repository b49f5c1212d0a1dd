// What the index knows of documents. Lines are counted from 1.

/** A sentence and where it stands. */
export type Sentence = {
  /** Without Markdown's marks, white space folded. */
  readonly text: string
  readonly startLine: number
  readonly endLine: number
  /** Of a PDF, from 1: the lines are counted on that page. */
  readonly page?: number | undefined
}

/** A paragraph or list item of prose with the headings above it. */
export type Passage = {
  /** From the document's title down, like `Verify › Remote keys`. */
  readonly heading: string
  readonly sentences: readonly Sentence[]
}

/** A file on disk. */
export type DocumentFile = {
  /** How citations name it: below the documents folder, or from the package's name on. */
  readonly file: string
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedMs: number
}
