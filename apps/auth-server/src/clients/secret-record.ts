// A client secret as bytes, so that a million of them are remembered in some hundred megabytes that no garbage
// collector looks at. The settings of its agent are beside it, by a number: most agents share theirs with others.
//
//   0 SHA-256 · 32 version · 40 expires · 48 deactivated (NaN: never) · 56 settings · 60, 62 lengths · 64 ids (ASCII)
import type { EpochSeconds } from '@deputy/auth/protocol'
import type { AuthorityVersion } from './client-directory.ts'

/** What a record holds. */
export type SecretRecord = {
  readonly secretHash: Uint8Array
  readonly version: AuthorityVersion
  readonly expiresAt: EpochSeconds | undefined
  readonly deactivatedAt: EpochSeconds | undefined
  /** The number of its agent's settings, where the record is kept. */
  readonly settings: number
  readonly credentialId: string
  readonly agentId: string
}

/** Bytes of a SHA-256, with which every record begins. */
export const HASH_BYTES = 32

const VERSION = 32
const EXPIRES = 40
const DEACTIVATED = 48
const SETTINGS = 56
const CREDENTIAL_LENGTH = 60
const AGENT_LENGTH = 62
const IDS = 64

/** How many bytes a record with these ids takes, or `undefined` for ids that no record can hold. */
export function measureSecretRecord(credentialId: string, agentId: string): number | undefined {
  const length = credentialId.length + agentId.length
  const isAscii = Buffer.byteLength(credentialId) + Buffer.byteLength(agentId) === length
  return isAscii && length <= 1024 ? IDS + length : undefined
}

/** Writes a record, and answers where it ends. */
export function writeSecretRecord(bytes: Buffer, at: number, record: SecretRecord): number {
  const { agentId, credentialId } = record
  bytes.set(record.secretHash, at)
  bytes.writeDoubleLE(record.version, at + VERSION)
  bytes.writeDoubleLE(record.expiresAt ?? Number.NaN, at + EXPIRES)
  bytes.writeDoubleLE(record.deactivatedAt ?? Number.NaN, at + DEACTIVATED)
  writeSettings(bytes, at, record.settings)
  bytes.writeUInt16LE(credentialId.length, at + CREDENTIAL_LENGTH)
  bytes.writeUInt16LE(agentId.length, at + AGENT_LENGTH)
  const agentAt = at + IDS + credentialId.length
  bytes.write(credentialId, at + IDS, 'latin1')
  bytes.write(agentId, agentAt, 'latin1')
  return agentAt + agentId.length
}

/** Reads the record that begins there. */
export function readSecretRecord(bytes: Buffer, at: number): Omit<SecretRecord, 'secretHash'> {
  const agentAt = at + IDS + bytes.readUInt16LE(at + CREDENTIAL_LENGTH)
  return {
    version: bytes.readDoubleLE(at + VERSION),
    expiresAt: toMoment(bytes.readDoubleLE(at + EXPIRES)),
    deactivatedAt: toMoment(bytes.readDoubleLE(at + DEACTIVATED)),
    settings: readSettings(bytes, at),
    credentialId: bytes.toString('latin1', at + IDS, agentAt),
    agentId: bytes.toString('latin1', agentAt, findRecordEnd(bytes, at)),
  }
}

/** Where the record that begins there ends. */
export function findRecordEnd(bytes: Buffer, at: number): number {
  return (
    at + IDS + bytes.readUInt16LE(at + CREDENTIAL_LENGTH) + bytes.readUInt16LE(at + AGENT_LENGTH)
  )
}

export function readSettings(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + SETTINGS)
}

export function writeSettings(bytes: Buffer, at: number, settings: number): void {
  bytes.writeUInt32LE(settings, at + SETTINGS)
}

function toMoment(value: number): EpochSeconds | undefined {
  return Number.isNaN(value) ? undefined : value
}
