import { sql, type Kysely, type Selectable } from 'kysely'
import { stemmer } from 'stemmer'
import * as z from 'zod'
import { toForms } from '../answer/irregular-forms.ts'
import type { DocumentIndex, IndexedDocument, IndexEntry } from '../documents/document-index.ts'
import type { DocumentTable, Tables } from './tables.ts'

const StoredSentences = z.array(
  z.object({
    text: z.string(),
    startLine: z.int(),
    endLine: z.int(),
    page: z.int().optional(),
  }),
)

/** A match in the heading counts as much as two in the text. */
const HEADING_WEIGHT = 2

const SNIPPET_WORDS = 24

/** Shorter stems begin words that have nothing to do with each other. */
const MIN_PREFIX = 5

/** SQLite takes at most 32766 parameters in one statement. */
const PASSAGES_AT_ONCE = 500

/** Creates the index on SQLite's FTS5. */
export function createSqliteDocumentIndex(db: Kysely<Tables>): DocumentIndex {
  return {
    async list() {
      const rows = await db.selectFrom('document').selectAll().orderBy('file').execute()
      return rows.map(toDocument)
    },

    async find(file) {
      const row = await db
        .selectFrom('document')
        .selectAll()
        .where('file', '=', file)
        .executeTakeFirst()
      return row && toDocument(row)
    },

    async putAll(entries) {
      if (entries.length === 0) return
      await db.transaction().execute(async (transaction) => {
        for (const entry of entries) await put(transaction, entry)
      })
    },

    async remove(file) {
      await db.deleteFrom('document').where('file', '=', file).execute()
    },

    async readPassages(file) {
      const rows = await db
        .selectFrom('passage')
        .select(['heading', 'sentences'])
        .where('file', '=', file)
        .orderBy('id')
        .execute()
      return rows.map(({ heading, sentences }) => ({
        heading,
        sentences: StoredSentences.parse(JSON.parse(sentences)),
      }))
    },

    async search(terms, limit) {
      if (terms.length === 0) return []
      // bm25() is lower for what fits better.
      const { rows } = await sql<{
        file: string
        heading: string
        sentences: string
        rank: number
        snippet: string
      }>`
        select p.file, p.heading, p.sentences,
          bm25(passage_text, ${HEADING_WEIGHT}, 1.0) as rank,
          snippet(passage_text, 1, '[', ']', '…', ${SNIPPET_WORDS}) as snippet
        from passage_text join passage p on p.id = passage_text.rowid
        where passage_text match ${terms.map(toQuery).join(' OR ')}
        order by rank, p.id limit ${limit}
      `.execute(db)
      return rows.map((row) => ({
        file: row.file,
        heading: row.heading,
        sentences: StoredSentences.parse(JSON.parse(row.sentences)),
        score: -row.rank,
        snippet: row.snippet,
      }))
    },

    async countPassages(terms) {
      const { total } = await db
        .selectFrom('passage')
        .select((select) => select.fn.countAll<number>().as('total'))
        .executeTakeFirstOrThrow()
      const holding: number[] = []
      for (const term of terms) {
        const { rows } = await sql<{ n: number }>`
          select count(*) as n from passage_text where passage_text match ${toQuery(term)}
        `.execute(db)
        holding.push(rows[0]?.n ?? 0)
      }
      return { total, holding }
    },
  }
}

async function put(db: Kysely<Tables>, { content, document }: IndexEntry): Promise<void> {
  await db.deleteFrom('document').where('file', '=', document.file).execute()
  await db
    .insertInto('document')
    .values({
      file: document.file,
      path: document.path,
      size_bytes: document.sizeBytes,
      modified_ms: document.modifiedMs,
      sha256: content.sha256,
    })
    .execute()
  for (let at = 0; at < content.passages.length; at += PASSAGES_AT_ONCE) {
    const rows = content.passages
      .slice(at, at + PASSAGES_AT_ONCE)
      .map(({ heading, sentences }) => ({
        file: document.file,
        heading,
        sentences: JSON.stringify(sentences),
      }))
    await db.insertInto('passage').values(rows).execute()
  }
}

/** Any form of the word, and, where it is long enough to tell, what begins with it. */
function toQuery(term: string): string {
  const forms = toForms(term).map(quoteTerm)
  const stem = stemmer(term)
  return [...forms, ...(stem.length >= MIN_PREFIX ? [`${quoteTerm(stem)} *`] : [])].join(' OR ')
}

/**
 * Any text as one string of FTS5's query syntax: its operators mean nothing inside quotes. NUL, which
 * would end the query, cannot be searched for.
 */
function quoteTerm(term: string): string {
  return `"${term.replaceAll('\u0000', ' ').replaceAll('"', '""')}"`
}

function toDocument(row: Selectable<DocumentTable>): IndexedDocument {
  return {
    file: row.file,
    path: row.path,
    sizeBytes: row.size_bytes,
    modifiedMs: row.modified_ms,
    sha256: row.sha256,
  }
}
