import { sql, type Kysely, type Selectable } from 'kysely'
import { LRUCache } from 'lru-cache'
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

const BM25 = `bm25(${String(HEADING_WEIGHT)}, 1.0)`

/** Passages that hold any of the terms of a search, at most, unless already the rarest term is in more. */
const MAX_RANKED_PASSAGES = 5000

/** Words whose number of passages is remembered. */
const MAX_COUNTS = 20_000

/** Shorter stems begin words that have nothing to do with each other. */
const MIN_PREFIX = 5

/** Creates the index on SQLite's FTS5. */
export function createSqliteDocumentIndex(db: Kysely<Tables>): DocumentIndex {
  const counts = new LRUCache<string, number>({ max: MAX_COUNTS })
  let total: number | undefined
  const forgetCounts = (): void => {
    counts.clear()
    total = undefined
  }

  async function countAll(): Promise<number> {
    if (total !== undefined) return total
    const row = await db
      .selectFrom('passage')
      .select((select) => select.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow()
    return (total = row.n)
  }

  async function count(term: string): Promise<number> {
    const known = counts.get(term)
    if (known !== undefined) return known
    const { rows } = await sql<{ n: number }>`
      select count(*) as n from passage_text where passage_text match ${toQuery(term)}
    `.execute(db)
    const n = rows[0]?.n ?? 0
    counts.set(term, n)
    return n
  }

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
      forgetCounts()
      await db.transaction().execute(async (transaction) => {
        for (const entry of entries) await put(transaction, entry)
      })
    },

    async removeAll(files) {
      if (files.length === 0) return
      forgetCounts()
      await db.transaction().execute(async (transaction) => {
        for (const file of files) {
          await transaction.deleteFrom('document').where('file', '=', file).execute()
        }
      })
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
      const counted = await Promise.all(terms.map(async (term) => ({ term, n: await count(term) })))
      const query = pickTerms(counted).map(toQuery).join(' OR ')
      if (query === '') return []
      // Ranked by FTS5 itself, which sorts without reading the passages; bm25() is lower for what fits better.
      const { rows } = await sql<{
        file: string
        heading: string
        sentences: string
        rank: number
      }>`
        select p.file, p.heading, p.sentences, f.rank
        from (
          select rowid, rank from passage_text
          where passage_text match ${query} and rank match ${BM25} order by rank limit ${limit}
        ) f join passage p on p.id = f.rowid
        order by f.rank, p.id
      `.execute(db)
      return rows.map((row) => ({
        file: row.file,
        heading: row.heading,
        sentences: StoredSentences.parse(JSON.parse(row.sentences)),
        score: -row.rank,
      }))
    },

    async countPassages(terms) {
      const holding: number[] = []
      for (const term of terms) holding.push(await count(term))
      return { total: await countAll(), holding }
    },
  }
}

/**
 * The rarest terms, as long as they are not in too many passages together, and at least one: to rank passages for a
 * word that is nearly everywhere takes long and tells nothing. Sentences are ranked by all terms.
 */
function pickTerms(
  counted: readonly { readonly term: string; readonly n: number }[],
): readonly string[] {
  const picked: string[] = []
  let passages = 0
  for (const { n, term } of counted.filter((one) => one.n > 0).toSorted((a, b) => a.n - b.n)) {
    passages += n
    if (picked.length > 0 && passages > MAX_RANKED_PASSAGES) break
    picked.push(term)
  }
  return picked
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
  // One statement whatever there is of it: each other number of rows would be another one to compile.
  const passages = JSON.stringify(content.passages)
  await sql`
    insert into passage (file, heading, sentences)
    select ${document.file}, value ->> 'heading', value -> 'sentences' from json_each(${passages})
    order by key
  `.execute(db)
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
