// A small agent on a loopback port, for tests of the packages on either side of the wire: tokens of
// the test issuer, one API key that can be turned off, a call that can be held, and its log.
import {
  createAccessTokenVerifier,
  createApiKeyVerifier,
  createAuthenticator,
  createDpopProofVerifier,
  createLocalReplayMemory,
  createRemoteSigningKeySource,
  createRevocationCheck,
  createRevocationView,
  type DpopNonces,
} from '@deputy/auth'
import { createAgentSecret, refuse } from '@deputy/auth/protocol'
import { agentRouter, CallRefusal, requireScope, scopedProcedure } from '@deputy/auth/trpc'
import { tracked } from '@trpc/server'
import { createLogger, serveAgent, type ServeAgentOptions } from '@deputy/serve'
import { setImmediate as nextTurn } from 'node:timers/promises'
import * as z from 'zod'
import { createTimedClock } from './settable-clock.ts'
import {
  createFakeIssuer,
  createSigningPair,
  goodClaims,
  ISSUER,
  signToken,
} from './test-issuer.ts'

/** The id of the agent, which is the `aud` of `goodClaims`. */
export const TEST_AGENT = 'agent-billing-v2'

/** What a bug in a handler says to the operator, and to nobody else. */
export const BUG_MESSAGE = 'cannot open /var/lib/ledger with password hunter2'

/** Holds calls until they are let go. */
export function createGate() {
  const entered = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  const waiting = new Map<number, () => void>()
  let arrived = 0
  return {
    /** Resolves when a call has arrived. */
    entered: entered.promise,
    /** Resolves when so many have. */
    async arrived(count: number): Promise<void> {
      if (arrived >= count) return
      await new Promise<void>((resolve) => waiting.set(count, resolve))
    },
    open: () => opened.resolve(),
    async pass(): Promise<void> {
      entered.resolve()
      arrived += 1
      waiting.get(arrived)?.()
      await opened.promise
    },
  }
}
export type Gate = ReturnType<typeof createGate>

/** Lets numbers through, up to the one that the test says. */
export function createTicker() {
  let limit = 0
  const waiting = new Map<() => void, number>()
  return {
    /** Values that `flood` was asked for. */
    produced: 0,
    /** What `note` was called with. */
    noted: new Array<string>(),
    /** Of the calls of `pending`, in their order. */
    signals: new Array<AbortSignal>(),
    tickTo(next: number): void {
      limit = next
      for (const [resolve, at] of waiting) if (at <= limit) resolve()
    },
    async reach(at: number, signal: AbortSignal): Promise<void> {
      if (at <= limit || signal.aborted) return
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.set(resolve, at)
      signal.addEventListener('abort', () => resolve())
      await promise
      waiting.delete(resolve)
    },
  }
}
export type Ticker = ReturnType<typeof createTicker>

/** Creates the router: one procedure for each thing that can happen to a call. */
export function createTestRouter(gate: Gate, ticker: Ticker = createTicker()) {
  return agentRouter({
    whoAmI: scopedProcedure('billing:read').query(({ ctx }) => ctx.principal),
    echo: scopedProcedure('billing:read')
      .input(z.object({ text: z.string().min(1) }))
      .query(({ input }) => input.text),
    pay: scopedProcedure('billing:write')
      .input(z.object({ amountMinor: z.number().int() }))
      .mutation(({ ctx, input }) => {
        if (input.amountMinor > 1000) requireScope(ctx.principal, 'billing:large')
        return { paidMinor: input.amountMinor }
      }),
    hold: scopedProcedure('billing:read').mutation(async () => {
      await gate.pass()
      return 'done'
    }),
    note: scopedProcedure('billing:read')
      .input(z.object({ text: z.string() }))
      .mutation(({ input }) => void ticker.noted.push(input.text)),
    // Waits until everything else has had its turn.
    slow: scopedProcedure('billing:read').mutation(async () => {
      for (let turn = 0; turn < 20; turn += 1) await nextTurn()
    }),
    refuse: scopedProcedure('billing:read').query(() => {
      throw new CallRefusal({
        code: 'CONFLICT',
        reason: 'account_closed',
        message: 'The account is closed',
        hint: 'Open another one.',
      })
    }),
    fail: scopedProcedure('billing:read').query((): string => {
      throw new Error(BUG_MESSAGE)
    }),
    // Numbers from after the last one that was seen, as many as the test lets through.
    ticks: scopedProcedure('billing:read')
      .input(z.object({ lastEventId: z.string().optional() }).optional())
      .subscription(async function* ticks({ ctx, input }) {
        const signal = ctx.getSignal()
        for (let at = Number(input?.lastEventId ?? 0) + 1; !signal.aborted; at += 1) {
          await ticker.reach(at, signal)
          if (!signal.aborted) yield tracked(String(at), at)
        }
      }),
    // As fast as it is asked for, in pieces of 16 KiB.
    flood: scopedProcedure('billing:read').subscription(async function* flood() {
      for (;;) {
        ticker.produced += 1
        yield 'x'.repeat(16 * 1024)
      }
    }),
    // An answer in parts, of which one waits for the gate.
    parts: scopedProcedure('billing:read').query(() => ({
      now: 'here',
      later: gate.pass().then(() => 'there'),
    })),
    pending: scopedProcedure('billing:read').mutation(async ({ ctx }) => {
      const signal = ctx.getSignal()
      ticker.signals.push(signal)
      await gate.pass()
      return 'done'
    }),
    count: scopedProcedure('billing:read').subscription(async function* count({ signal }) {
      yield 1
      await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    }),
  })
}
export type TestRouter = ReturnType<typeof createTestRouter>

export type TestAgentOptions = Partial<
  Pick<
    ServeAgentOptions,
    | 'allowedOrigins'
    | 'fallback'
    | 'isReady'
    | 'limits'
    | 'limitStores'
    | 'port'
    | 'publicUrl'
    | 'rateLimiter'
    | 'rateLimitTiers'
    | 'router'
    | 'trustedProxies'
  >
> & {
  /** For how long after its end a token is taken. Default: no moment. */
  readonly clockToleranceSeconds?: number
  /** Given, proofs of bound tokens need one of these. */
  readonly dpopNonces?: DpopNonces
  /** Takes nothing but bound tokens. Default: no. */
  readonly isDpopRequired?: boolean
}

/** Starts the agent. */
export async function startTestAgent(options: TestAgentOptions = {}) {
  const clock = createTimedClock()
  const pair = await createSigningPair('key-1')
  const issuer = createFakeIssuer([pair.publicJwk])
  const gate = createGate()
  const ticker = createTicker()
  const lines: string[] = []
  const apiKey = { value: createAgentSecret('apiKey'), isActive: true }
  const accessTokens = createAccessTokenVerifier({
    issuer: ISSUER,
    audience: TEST_AGENT,
    keys: createRemoteSigningKeySource(ISSUER, { fetch: issuer.fetch }),
    clock,
    clockToleranceSeconds: options.clockToleranceSeconds ?? 0,
  })
  const apiKeys = createApiKeyVerifier({
    audience: TEST_AGENT,
    introspect: async (token) => ({
      ok: true,
      value:
        apiKey.isActive && token === apiKey.value
          ? {
              active: true,
              token_type: 'api_key',
              iss: ISSUER,
              sub: 'agent-carol-v1',
              aud: TEST_AGENT,
              client_id: 'agent-carol-v1',
              jti: 'api-key-1',
              scope: 'billing:read',
              iat: clock.now(),
            }
          : { active: false },
    }),
  })
  const view = createRevocationView({ clock })
  view.heard()
  const revocations = createRevocationCheck({
    view,
    introspect: async () => refuse({ reason: 'verifier_unavailable', detail: 'nobody is asked' }),
    clock,
    maxStalenessSeconds: Number.POSITIVE_INFINITY,
  })
  const running = await serveAgent({
    agentId: TEST_AGENT,
    router: createTestRouter(gate, ticker),
    authenticator: createAuthenticator({
      accessTokens,
      apiKeys,
      revocations,
      clock,
      dpop: {
        proofs: createDpopProofVerifier({
          clock,
          replayMemory: createLocalReplayMemory({ clock }),
        }),
        nonces: options.dpopNonces,
        isRequired: options.isDpopRequired,
      },
    }),
    issuer: ISSUER,
    port: 0,
    logger: createLogger({
      name: TEST_AGENT,
      level: 'trace',
      write: (line) => void lines.push(line),
    }),
    ...options,
  })
  return {
    /** Where it listens, whatever it says of itself. */
    url: `http://127.0.0.1:${String(running.port)}`,
    port: running.port,
    clock,
    issuer,
    gate,
    ticker,
    apiKey,
    /** Denies an id of grant paths, as the feed would. */
    deny: (id: string) => {
      view.apply([{ kind: 'grant', id, expiresAt: clock.now() + 900 }])
    },
    /** Everything that was logged, a record for each line. */
    log: () => lines.map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line))),
    logText: () => lines.join(''),
    forgetLog: () => void lines.splice(0),
    /** Signs a good token, but for what is changed; a claim that is `undefined` is left out. */
    token: async (
      changes: Readonly<Record<string, unknown>> = {},
      header: Parameters<typeof signToken>[2] = {},
    ): Promise<string> => signToken(pair, { ...goodClaims(clock.now()), ...changes }, header),
    /** Drains. Calls that are held stay held. */
    close: async () => running.close(),
    [Symbol.asyncDispose]: async () => {
      gate.open()
      await running.close()
    },
  }
}
export type TestAgent = Awaited<ReturnType<typeof startTestAgent>>
