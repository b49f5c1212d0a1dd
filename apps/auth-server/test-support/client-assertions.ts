// A verifier of client assertions on a real store, and assertions for it.
import { createLocalReplayMemory, type ReplayMemory } from '@deputy/auth'
import { CompactSign } from 'jose'
import { randomUUID } from 'node:crypto'
import {
  createClientAssertionVerifier,
  type ClientAssertionVerifierOptions,
} from '../src/clients/client-assertion.ts'
import { createClientKeys } from '../src/clients/client-keys.ts'
import { createRemoteClientKeys } from '../src/clients/client-keys-remote.ts'
import type { FetchJwks } from '../src/clients/client-keys-fetch.ts'
import { createClientKey } from '../src/clients/create-client-key.ts'
import { createUseLog } from '../src/credentials/use-log.ts'
import { openStorage } from '../src/storage/open-storage.ts'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import type { ProofKey } from '../../../test/support/test-proof.ts'
import { makeAgent } from './storage-adapters.ts'

export const ASSERTION_ISSUER = 'https://as.example'

export type AssertionHarnessOptions = Partial<
  Pick<
    ClientAssertionVerifierOptions,
    'acceptedAudiences' | 'clock' | 'clockToleranceSeconds' | 'maxAssertionChars'
  >
> & {
  readonly replayMemory?: ReplayMemory
  readonly fetchJwks?: FetchJwks
}

/** A verifier that knows `agent-alice`, without keys. */
export async function createAssertionHarness(options: AssertionHarnessOptions = {}) {
  const storage = await openStorage({ file: ':memory:' })
  const settable = createSettableClock()
  const clock = options.clock ?? settable
  await storage.agents.insert(makeAgent())
  const fetchJwks: FetchJwks = options.fetchJwks ?? (async () => Promise.reject(new Error('gone')))
  const remote = createRemoteClientKeys({ clock, fetchJwks })
  const calls: string[] = []
  const uses = createUseLog({
    write: async (noted) => storage.lastUses.touch(noted),
    onFault: (error) => {
      throw error
    },
  })
  const verifier = createClientAssertionVerifier({
    issuer: ASSERTION_ISSUER,
    acceptedAudiences: options.acceptedAudiences,
    maxAssertionChars: options.maxAssertionChars,
    clients: {
      find: async (id) => {
        calls.push(`find ${id}`)
        return storage.clients.find(id)
      },
    },
    findKeys: createClientKeys({
      store: {
        listLive: async (request) => {
          calls.push(`list ${request.agentId}`)
          return storage.clientKeys.listLive(request)
        },
      },
      remote,
      clock,
    }),
    uses,
    replayMemory: options.replayMemory ?? createLocalReplayMemory({ clock }),
    clock,
    clockToleranceSeconds: options.clockToleranceSeconds ?? 0,
  })

  return {
    storage,
    uses,
    clock: settable,
    /** What the verifier asked of the store. */
    calls,
    verifier,
    async addKey(key: ProofKey, members: { kid?: string; expiresAt?: number } = {}) {
      const { expiresAt, ...named } = members
      const jwk = { ...key.publicJwk, ...named }
      const created = createClientKey({ agentId: 'agent-alice', jwk, now: clock.now(), expiresAt })
      if (!created.ok) throw new Error(created.refusal.reason)
      await storage.clientKeys.insert(created.value)
      return created.value
    },
    async reasonOf(assertion: string, clientId?: string): Promise<string> {
      const result = await verifier.verify({ assertion, clientId })
      return result.ok ? 'accepted' : result.refusal.reason
    },
    async [Symbol.asyncDispose]() {
      await uses[Symbol.asyncDispose]()
      await storage.close()
    },
  }
}

/** Signs an assertion of `agent-alice`, good for a minute from the settable clocks' beginning. */
export async function signAssertion(
  key: ProofKey,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const now = createSettableClock().now()
  const good = {
    iss: 'agent-alice',
    sub: 'agent-alice',
    aud: ASSERTION_ISSUER,
    exp: now + 60,
    iat: now,
    jti: randomUUID(),
  }
  const payload = new TextEncoder().encode(JSON.stringify({ ...good, ...claims }))
  return new CompactSign(payload)
    .setProtectedHeader({ alg: key.algorithm, ...header })
    .sign(key.privateKey)
}
