import { importPublicKey, toThumbprint } from '@deputy/auth'
import {
  accept,
  parsePublicJwk,
  refuse,
  type EpochSeconds,
  type PublicJwkRefusal,
  type Result,
} from '@deputy/auth/protocol'
import { randomUUID } from 'node:crypto'
import type { ClientKeyRecord } from './client-key-store.ts'

export type NewClientKeyOptions = {
  readonly agentId: string
  /** As it came from outside. */
  readonly jwk: unknown
  readonly now: EpochSeconds
  readonly label?: string | undefined
  readonly expiresAt?: EpochSeconds | undefined
}

/**
 * Makes the record of a public key for an agent. Nothing is stored yet. Refuses what cannot verify a
 * signature, and above all a private key: who sends one here has given it away.
 */
export function createClientKey(
  options: NewClientKeyOptions,
): Result<ClientKeyRecord, PublicJwkRefusal> {
  const parsed = parsePublicJwk(options.jwk)
  if (!parsed.ok) return parsed
  const publicJwk = parsed.value
  if (publicJwk.use !== undefined && publicJwk.use !== 'sig') {
    return refuse({ reason: 'key_unusable', detail: 'its use is not "sig"' })
  }
  if (importPublicKey(publicJwk) === undefined) {
    return refuse({ reason: 'key_unusable', detail: 'its parameters make no key' })
  }
  return accept({
    id: randomUUID(),
    agentId: options.agentId,
    label: options.label ?? '',
    kid: publicJwk.kid ?? toThumbprint(publicJwk),
    publicJwk,
    createdAt: options.now,
    expiresAt: options.expiresAt,
    deactivatedAt: undefined,
    lastUsedAt: undefined,
    supersededBy: undefined,
  })
}
