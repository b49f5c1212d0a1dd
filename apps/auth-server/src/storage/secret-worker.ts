// The thread that reads secrets: page after page, as the server asks for them, each as the bytes that it remembers.
import { openReader } from '@deputy/storage/lent-writer'
import { workerData } from 'node:worker_threads'
import { measureSecretRecord, writeSecretRecord } from '../clients/secret-record.ts'
import { CHUNK_BYTES } from '../clients/secret-table.ts'
import { serveBatches, type Answer } from '../threads/serve-batches.ts'
import type { SecretPage, SecretPageRequest, SecretReaderData } from './secret-page.ts'

type Row = {
  readonly place: number
  readonly secret_sha256: Uint8Array
  readonly id: string
  readonly agent_id: string
  readonly expires_at: number | null
  readonly deactivated_at: number | null
  readonly version: number
  readonly settings: string
}

/** As many as surely fit, and few enough to be read in some milliseconds. */
const MAX_ROWS = 1000

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `createSecretReader` gives
const { file, statement } = workerData as SecretReaderData
const connection = openReader(file)

serveBatches<SecretPageRequest, SecretPage>({
  *answer(requests) {
    for (const { after } of requests) yield readPage(after)
  },
  onClose: () => connection.close(),
})

function readPage(after: number): Answer<SecretPage> {
  try {
    const parameters = [after, MAX_ROWS]
    return toPage(connection.run<Row>({ sql: statement, parameters }).rows)
  } catch (error) {
    return { reply: { fault: error instanceof Error ? error.message : String(error) } }
  }
}

function toPage(rows: readonly Row[]): Answer<SecretPage> {
  const bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  const numbers = new Map<string, number>()
  let end = 0
  for (const row of rows) {
    const length = measureSecretRecord(row.id, row.agent_id)
    if (length === undefined || end + length > CHUNK_BYTES) continue
    const settings = numbers.get(row.settings) ?? numbers.size
    numbers.set(row.settings, settings)
    end = writeSecretRecord(bytes, end, {
      secretHash: row.secret_sha256,
      version: row.version,
      expiresAt: row.expires_at ?? undefined,
      deactivatedAt: row.deactivated_at ?? undefined,
      settings,
      credentialId: row.id,
      agentId: row.agent_id,
    })
  }
  const own = Uint8Array.from(bytes.subarray(0, end))
  const last = rows.at(-1)
  const reply = {
    version: last?.version ?? 0,
    bytes: own,
    settings: [...numbers.keys()],
    after: rows.length < MAX_ROWS ? undefined : last?.place,
  }
  return { reply, transfer: [own.buffer] }
}
