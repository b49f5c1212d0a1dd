// Reads the secrets of a SQLite file from one end to the other, in a thread of its own: what a server with many
// agents begins with, so that it need not ask for each of them.
import type { Kysely } from 'kysely'
import type { SecretReader } from '../clients/secret-reader.ts'
import { createBatchThread } from '../threads/batch-thread.ts'
import { CLIENT_COLUMNS, toClient, type ClientRow } from './agent-row.ts'
import type { SecretPage, SecretPageRequest, SecretReaderData } from './secret-page.ts'
import type { Tables } from './tables.ts'

export type SecretReaderOptions = {
  readonly db: Kysely<Tables>
  readonly file: string
  /** Fewer are asked for soon enough, and are not worth a thread. */
  readonly minSecrets: number
}

/** Opens the reader, or answers `undefined` where there is little to read. */
export async function openSecretReader(
  options: SecretReaderOptions,
): Promise<SecretReader | undefined> {
  const { db, file, minSecrets } = options
  const [some] = await db
    .selectFrom(db.selectFrom('client_secret').select('id').limit(minSecrets).as('some'))
    .select((select) => select.fn.countAll<number>().as('count'))
    .execute()
  return some === undefined || some.count < minSecrets ? undefined : createSecretReader(file)
}

function createSecretReader(file: string): SecretReader {
  const workerData: SecretReaderData = { file, statement: SELECT_PAGE }
  const thread = createBatchThread<SecretPageRequest, SecretPage>({
    name: 'the thread that reads secrets',
    source: new URL('secret-worker.ts', import.meta.url),
    workerData,
  })
  let after: number | undefined = 0
  return {
    async next() {
      if (after === undefined) return undefined
      const page = await thread.send({ after })
      if (page.fault !== undefined) throw new Error(page.fault)
      after = page.after
      if (page.bytes.length === 0) return undefined
      const settings = page.settings.map(parseSettings)
      return { value: { bytes: page.bytes, settings }, version: page.version }
    },
    close: async () => thread.close(),
  }
}

function parseSettings(text: string) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `SELECT_PAGE` makes it
  const { id: _none, ...settings } = toClient(JSON.parse(text) as ClientRow)
  return settings
}

/** After a rowid, at most so many. Rows lie in the order of their rowids, so that each page is read once. */
const SELECT_PAGE = `
  select s.rowid as place, s.secret_sha256, s.id, s.agent_id, s.expires_at, s.deactivated_at,
    (select version from authority) as version,
    json_object(${CLIENT_COLUMNS.map(toMember).join(', ')}) as settings
  from client_secret s join agent on agent.id = s.agent_id
  where s.rowid > ? order by s.rowid limit ?`

function toMember(column: (typeof CLIENT_COLUMNS)[number]): string {
  const name = column.replace('agent.', '')
  return name === 'id' ? `'id', ''` : `'${name}', ${column}`
}
