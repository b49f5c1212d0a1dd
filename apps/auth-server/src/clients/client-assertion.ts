// Authenticates a client by a JWT that it signed (`private_key_jwt`; RFC 7523 §§2.2 and 3, OpenID Connect
// Core §9). The order: form → client and signature → audience → time → used once. Whoever does not sign
// with a key of the client learns nothing of the client: not by the answer, not by the work.
import {
  importPublicKey,
  isSignatureOf,
  readCompactJws,
  ReplayMemoryUnavailableError,
  toReplayKey,
  type ReplayMemory,
} from '@deputy/auth'
import {
  accept,
  PROOF_ALGORITHMS,
  refuse,
  type Clock,
  type ProofAlgorithm,
  type Result,
} from '@deputy/auth/protocol'
import type { Client } from '../agents/agent.ts'
import type { UseLog } from '../credentials/use-log.ts'
import {
  ClientAssertionClaims,
  ClientAssertionHeader,
  findBrokenRule,
} from './client-assertion-claims.ts'
import { DECOY_KEYS } from './client-assertion-decoys.ts'
import type { ClientAssertionRefusal } from './client-assertion-refusal.ts'
import type { ClientDirectory } from './client-directory.ts'
import type { ClientKey, FindClientKeys, FoundClientKeys } from './client-keys.ts'
import type { FailurePace } from './failure-pace.ts'

/** Algorithms of client assertions, as metadata has them (RFC 8414 §2). */
export const CLIENT_ASSERTION_ALGORITHMS = PROOF_ALGORITHMS

export type ClientAssertionRequest = {
  readonly assertion: string
  /** The parameter `client_id`, where it was sent. */
  readonly clientId: string | undefined
}

/** A client that proved who it is, and the key that proved it. */
export type AssertedClient = { readonly agent: Client; readonly credentialId: string }

export type ClientAssertionVerifier = {
  /** Verifies an assertion and uses it up: the same one is refused from then on. */
  verify(request: ClientAssertionRequest): Promise<Result<AssertedClient, ClientAssertionRefusal>>
}

export type ClientAssertionVerifierOptions = {
  readonly issuer: string
  /** What `aud` may be. Default: the issuer alone. */
  readonly acceptedAudiences?: readonly string[] | undefined
  readonly clients: Pick<ClientDirectory, 'find'>
  readonly findKeys: FindClientKeys
  /** Told of each use of a key that is kept here. */
  readonly uses: Pick<UseLog, 'note'>
  readonly replayMemory: ReplayMemory
  /** Has every assertion that no key of its client signed take the same time. Default: none is held back. */
  readonly pace?: Pick<FailurePace, 'begin'> | undefined
  readonly clock: Clock
  /** How far ahead `exp` may be. Default 600. */
  readonly maxLifeSeconds?: number | undefined
  /** How far the client's clock may differ. Default 5. */
  readonly clockToleranceSeconds?: number | undefined
  /** Longest assertion that is read. Default 8192. */
  readonly maxAssertionChars?: number | undefined
}

/** Signatures verified for an assertion that fails: as many for a client with keys as for none. */
const MAX_TRIES = 3

type ReadAssertion = {
  readonly jws: string
  readonly algorithm: ProofAlgorithm
  readonly kid: string | undefined
  readonly claims: ClientAssertionClaims
}

/** Creates the verifier. */
export function createClientAssertionVerifier(
  options: ClientAssertionVerifierOptions,
): ClientAssertionVerifier {
  const { clients, clock, findKeys, replayMemory, uses } = options
  const maxChars = options.maxAssertionChars ?? 8192
  const toleranceSeconds = options.clockToleranceSeconds ?? 5
  const maxLifeSeconds = options.maxLifeSeconds ?? 600
  const acceptedAudiences = options.acceptedAudiences ?? [options.issuer]

  async function verify(
    request: ClientAssertionRequest,
  ): Promise<Result<AssertedClient, ClientAssertionRefusal>> {
    const read = readAssertion(request, maxChars)
    if (!read.ok) return read
    const { claims } = read.value
    const settle = options.pace?.begin()
    const signed = await verifySignature(read.value)
    if (!signed.ok) {
      await settle?.()
      return signed
    }
    const rules = { acceptedAudiences, now: clock.now(), toleranceSeconds, maxLifeSeconds }
    const broken = findBrokenRule(claims, rules)
    if (broken !== undefined) return refuse(broken)
    const once = await claimOnce(claims)
    if (!once.ok) return once
    const { agent, key } = signed.value
    if (key.recordId !== undefined) uses.note(key.recordId, clock.now())
    return accept({ agent, credentialId: key.credentialId })
  }

  async function verifySignature(
    read: ReadAssertion,
  ): Promise<Result<{ readonly agent: Client; readonly key: ClientKey }, ClientAssertionRefusal>> {
    const { algorithm, claims, kid } = read
    const clientId = claims.sub
    const agent = await clients.find(clientId)
    const jwksUri = agent?.state === 'active' ? agent.jwksUri : undefined
    const found = await findKeys({ clientId, jwksUri, algorithm, kid })
    const key = findSigner(read, found.keys)
    if (agent === undefined) return refuse({ reason: 'assertion_client_unknown' })
    if (agent.state !== 'active') return refuse({ reason: 'assertion_agent_inactive' })
    return key === undefined ? refuse(explainMissingKey(found)) : accept({ agent, key })
  }

  async function claimOnce({
    exp,
    jti,
    sub,
  }: ClientAssertionClaims): Promise<Result<undefined, ClientAssertionRefusal>> {
    try {
      const isFirst = await replayMemory.claimOnce(
        toReplayKey('client-assertion', sub, jti),
        Math.ceil(exp) + toleranceSeconds,
      )
      return isFirst ? accept(undefined) : refuse({ reason: 'assertion_replayed' })
    } catch (error) {
      if (!(error instanceof ReplayMemoryUnavailableError)) throw error
      return refuse({ reason: 'replay_memory_unavailable', detail: error.message })
    }
  }

  return Object.freeze({ verify })
}

function readAssertion(
  { assertion, clientId }: ClientAssertionRequest,
  maxChars: number,
): Result<ReadAssertion, ClientAssertionRefusal> {
  if (assertion.length > maxChars) {
    return malformed(`it is longer than ${String(maxChars)} characters`)
  }
  const parts = readCompactJws(assertion)
  if (parts === undefined) return malformed('it is no signed JWT')
  const header = ClientAssertionHeader.safeParse(parts.header)
  if (!header.success) return malformed('its header has a crit member, or a kid that is no name')
  const algorithm = CLIENT_ASSERTION_ALGORITHMS.find((name) => name === header.data.alg)
  if (algorithm === undefined) {
    const algorithms = CLIENT_ASSERTION_ALGORITHMS
    return refuse({ reason: 'assertion_algorithm_not_allowed', algorithms })
  }
  const claims = ClientAssertionClaims.safeParse(parts.payload)
  if (!claims.success) {
    const names = claims.error.issues.map((issue) => issue.path.join('.')).filter(Boolean)
    return malformed(`claims are missing or of a wrong type: ${names.join(', ')}`)
  }
  const { iss, sub } = claims.data
  // > For client authentication, the subject MUST be the "client_id" of the OAuth client. (§3)
  if (iss !== sub || (clientId !== undefined && clientId !== sub)) {
    return refuse({ reason: 'assertion_client_mismatch' })
  }
  return accept({ jws: assertion, algorithm, kid: header.data.kid, claims: claims.data })
}

/** The key that signed, of the newest few. A failure costs the same whatever keys there are. */
function findSigner(read: ReadAssertion, keys: readonly ClientKey[]): ClientKey | undefined {
  const { algorithm, jws } = read
  for (let index = 0; index < MAX_TRIES; index += 1) {
    const candidate = keys[index]
    const key = importPublicKey(candidate?.publicJwk ?? DECOY_KEYS[algorithm])
    const isSigner = key !== undefined && isSignatureOf({ jws, algorithm, key })
    if (isSigner && candidate !== undefined) return candidate
  }
  return undefined
}

function explainMissingKey({ fault, keys }: FoundClientKeys): ClientAssertionRefusal {
  if (keys.length > 0) return { reason: 'assertion_signature_invalid' }
  if (fault === undefined) return { reason: 'assertion_key_unknown' }
  return { reason: 'assertion_keys_unavailable', detail: fault }
}

function malformed(detail: string): Result<never, ClientAssertionRefusal> {
  return refuse({ reason: 'assertion_malformed', detail })
}
