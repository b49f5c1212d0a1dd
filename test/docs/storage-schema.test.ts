// docs/storage-schema.md against the databases as the migrations make them.
import { readFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { openStorage as openAuthServerStorage } from '../../apps/auth-server/src/storage/open-storage.ts'
import { openStorage as openBillingStorage } from '../../apps/billing-agent/src/storage/open-storage.ts'
import { openStorage as openResearchStorage } from '../../apps/research-agent/src/storage/open-storage.ts'
import { createSettableClock } from '../support/settable-clock.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const page = await readFile(new URL('../../docs/storage-schema.md', import.meta.url), 'utf8')

type Columns = Readonly<Record<string, string>>

/** Tables that a library keeps for itself. */
const isForeign = (name: string): boolean => /^(?:sqlite_|kysely_|passage_text)/.test(name)

const Column = z.object({ name: z.string(), type: z.string(), notnull: z.number(), pk: z.number() })

/** Every table with its columns, each with its type, and `?` where it may be empty. */
function readDatabase(file: string): Readonly<Record<string, Columns>> {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const tables = z
      .array(z.object({ name: z.string() }))
      .parse(database.prepare("select name from sqlite_master where type = 'table'").all())
      .filter(({ name }) => !isForeign(name))
    return Object.fromEntries(
      tables.map(({ name }) => {
        const columns = z
          .array(Column)
          .parse(database.prepare(`pragma table_info("${name}")`).all())
        const toType = ({ notnull, pk, type }: z.infer<typeof Column>): string =>
          `${type.toLowerCase()}${notnull === 1 || pk > 0 ? '' : '?'}`
        return [name, Object.fromEntries(columns.map((column) => [column.name, toType(column)]))]
      }),
    )
  } finally {
    database.close()
  }
}

/** The same, as the page says it. */
function readPage(heading: string): Readonly<Record<string, Columns>> {
  const [, part = ''] = page.split(`\n## ${heading}\n`)
  const [own = ''] = part.split('\n## ')
  const sections = own.split('\n### ').slice(1)
  return Object.fromEntries(
    sections.map((section) => {
      const rows = section.matchAll(/^\| `(\w+)` *\| (\S+) *\| (.+?) *\|$/gm)
      const columns = [...rows].map(([, column = '', type = '']) => [column, type] as const)
      return [section.slice(1, section.indexOf('`', 1)), Object.fromEntries(columns)]
    }),
  )
}

test.each([
  {
    heading: 'Authorization server',
    open: async (file: string) => openAuthServerStorage({ file }, createSettableClock()),
  },
  {
    heading: 'Billing agent',
    open: async (file: string) => openBillingStorage({ file }),
  },
  { heading: 'Research agent', open: openResearchStorage },
])('$heading: each table and each column is on the page as it is', async ({ heading, open }) => {
  await using folder = await createTemporaryFolder()
  const file = folder.file('it.sqlite')
  const storage = await open(file)
  await storage[Symbol.asyncDispose]()

  expect(readPage(heading)).toEqual(readDatabase(file))
})
