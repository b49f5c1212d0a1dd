// Secrets by their hashes, within a bound of bytes and outside of the heap. Generations: when the newest has its
// share of the bytes, the oldest goes.
import type { AuthorityVersion, Client, KnownSecret } from './client-directory.ts'
import { createHashIndex } from './hash-index.ts'
import {
  findRecordEnd,
  HASH_BYTES,
  measureSecretRecord,
  readSecretRecord,
  readSettings,
  writeSecretRecord,
  writeSettings,
} from './secret-record.ts'

/** What is remembered of a secret, and the version of the database that it was read at. */
export type RememberedSecret = { readonly value: KnownSecret; readonly version: AuthorityVersion }

/** An agent but for its id: what many have in common. */
export type ClientSettings = Omit<Client, 'id'>

/** Records that were read elsewhere, one after the other, with the settings that they name by their places. */
export type SecretChunk = {
  /** At most `CHUNK_BYTES`. */
  readonly bytes: Uint8Array
  readonly settings: readonly ClientSettings[]
}

export type SecretTable = {
  find(secretHash: Uint8Array): RememberedSecret | undefined
  add(secretHash: Uint8Array, secret: RememberedSecret): void
  /** Takes records over, with their bytes. One that is there already is replaced. */
  adopt(chunk: SecretChunk): void
  /** Whether a chunk can be added without forgetting anything. */
  hasRoom(): boolean
  /** Bytes that are taken, nearly. */
  size(): number
  clear(): void
}

export const CHUNK_BYTES = 1 << 18

/** As much as is reckoned for the settings of an agent, with their text. */
const SETTINGS_BYTES = 2048

const GENERATIONS = 4

/** Creates an empty table, which takes at most so many bytes, and never less than a megabyte. */
export function createSecretTable(maxBytes: number): SecretTable {
  const share = Math.max(maxBytes / GENERATIONS, CHUNK_BYTES)
  /** Newest first. */
  let generations = [createGeneration()]
  const size = (): number => generations.reduce((sum, one) => sum + one.size(), 0)

  function newest(): Generation {
    const [first] = generations
    if (first !== undefined && first.size() < share) return first
    const next = createGeneration()
    generations = [next, ...generations.slice(0, GENERATIONS - 1)]
    return next
  }

  return {
    find(secretHash) {
      const hash = toBuffer(secretHash)
      for (const generation of generations) {
        const found = generation.find(hash)
        if (found !== undefined) return found
      }
      return undefined
    },
    add: (secretHash, secret) => newest().add(toBuffer(secretHash), secret),
    adopt: (chunk) => newest().adopt(chunk),
    hasRoom: () => size() + CHUNK_BYTES < maxBytes,
    size,
    clear() {
      generations = [createGeneration()]
    },
  }
}

type Generation = ReturnType<typeof createGeneration>

function createGeneration() {
  const chunks: Buffer[] = []
  const settings: ClientSettings[] = []
  const settingsByText = new Map<string, number>()
  /** The chunk that records are added to, and where its next one begins. */
  let open: { readonly chunk: Buffer; readonly number: number; end: number } | undefined
  let bytes = 0
  const index = createHashIndex((place, hash, at) => {
    const from = place % CHUNK_BYTES
    return chunkOf(place).compare(hash, at, at + HASH_BYTES, from, from + HASH_BYTES) === 0
  })

  function chunkOf(place: number): Buffer {
    const chunk = chunks[Math.floor(place / CHUNK_BYTES)]
    if (chunk === undefined) throw new RangeError('a secret is remembered in no chunk')
    return chunk
  }

  function intern(own: ClientSettings): number {
    const text = JSON.stringify(own)
    const known = settingsByText.get(text)
    if (known !== undefined) return known
    settingsByText.set(text, settings.length)
    bytes += SETTINGS_BYTES
    return settings.push(own) - 1
  }

  function push(chunk: Buffer): number {
    bytes += chunk.length
    return chunks.push(chunk) - 1
  }

  function openChunk(length: number): NonNullable<typeof open> {
    if (open !== undefined && open.end + length <= CHUNK_BYTES) return open
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    open = { chunk, number: push(chunk), end: 0 }
    return open
  }

  return {
    size: () => bytes + index.size(),

    find(hash: Buffer): RememberedSecret | undefined {
      const place = index.find(hash, 0)
      if (place === undefined) return undefined
      const record = readSecretRecord(chunkOf(place), place % CHUNK_BYTES)
      const { agentId, credentialId, deactivatedAt, expiresAt, version } = record
      const own = settings[record.settings]
      if (own === undefined) throw new RangeError('a secret is remembered without settings')
      const agent = { ...own, id: agentId }
      return { value: { agent, credentialId, expiresAt, deactivatedAt }, version }
    },

    add(hash: Buffer, { value, version }: RememberedSecret): void {
      const { agent, ...secret } = value
      const { id: agentId, ...own } = agent
      const length = measureSecretRecord(secret.credentialId, agentId)
      // Asked for each time: no id that Deputy gives is like that.
      if (length === undefined) return
      const { chunk, end, number } = openChunk(length)
      const record = { ...secret, secretHash: hash, version, settings: intern(own), agentId }
      writeSecretRecord(chunk, end, record)
      if (open !== undefined) open.end = end + length
      index.set(hash, 0, number * CHUNK_BYTES + end)
    },

    adopt({ bytes: records, settings: own }: SecretChunk): void {
      const chunk = toBuffer(records)
      if (chunk.length > CHUNK_BYTES) throw new RangeError('a chunk of secrets is too long')
      const numbers = own.map(intern)
      const number = push(chunk)
      for (let at = 0; at < chunk.length; at = findRecordEnd(chunk, at)) {
        const settingsNumber = numbers[readSettings(chunk, at)]
        if (settingsNumber === undefined) throw new RangeError('a secret names no settings')
        writeSettings(chunk, at, settingsNumber)
        index.set(chunk, at, number * CHUNK_BYTES + at)
      }
    },
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
