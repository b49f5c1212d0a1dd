// What a file is, by its name, and how large it may be.
const KINDS = {
  markdown: /\.(?:md|markdown)$/i,
  text: /\.txt$/i,
  html: /\.(?:html?|xhtml)$/i,
  pdf: /\.pdf$/i,
  json: /\.jsonc?$/i,
} as const

export type DocumentKind = keyof typeof KINDS

/** Larger files are left out: they are data or logs more often than documentation. */
const MAX_BYTES = 1024 * 1024
/** Most of a PDF is not text. */
const MAX_PDF_BYTES = 32 * 1024 * 1024

/** What documentation of installed packages is written in: their HTML and JSON is code or data. */
const IN_PACKAGES: ReadonlySet<DocumentKind> = new Set(['markdown', 'text'])

/** The kind of a document by its name; `undefined` for anything else. */
export function toDocumentKind(name: string): DocumentKind | undefined {
  if (KINDS.markdown.test(name)) return 'markdown'
  if (KINDS.text.test(name)) return 'text'
  if (KINDS.html.test(name)) return 'html'
  if (KINDS.pdf.test(name)) return 'pdf'
  return KINDS.json.test(name) ? 'json' : undefined
}

/** Whether a file is taken as a document, in a folder of one's own or in a `node_modules`. */
export function isDocumentName(name: string, isInPackages: boolean): boolean {
  const kind = toDocumentKind(name)
  return kind !== undefined && (!isInPackages || IN_PACKAGES.has(kind))
}

/** The largest file of its kind that is read. */
export function findMaxBytes(name: string): number {
  return toDocumentKind(name) === 'pdf' ? MAX_PDF_BYTES : MAX_BYTES
}
