// A whole world in one process: the real authorization server and any number of agents, on a network in
// memory and a clock that stands still. For unit tests of what an agent permits.
import type { LimitStores, RateLimitTiers, RevocationOptions } from '@deputy/auth'
import { createAuthServer, type AdminRouter } from '@deputy/auth-server'
import type { CredentialsFile, EpochSeconds } from '@deputy/auth/protocol'
import { clientSecret, createAgentClient, type AgentClient } from '@deputy/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { randomBytes } from 'node:crypto'
import {
  createFaultBox,
  type FailingOptions,
  type Fault,
  type OutageOptions,
  type SlowOptions,
} from './faults.ts'
import { createLogBook, type LogLine } from './log/log-book.ts'
import { createMemoryNetwork } from './network/memory-network.ts'
import { toHost, toId, toUrl } from './network/names.ts'
import type { Callable, Caller } from './party/caller.ts'
import { createEnrol, type AgentPlace } from './party/enrol.ts'
import { readDemands, type PartySettings } from './party/register.ts'
import { serveTestAgent } from './party/test-agent.ts'
import { createWorldActs, type WorldActs } from './world-acts.ts'
import { watchRest } from './time/rest.ts'
import { createWorldClock } from './time/world-clock.ts'

export type TestWorldOptions = {
  /** When the world begins, in epoch seconds. Default: `WORLD_BEGINS_AT`. */
  readonly beginsAt?: EpochSeconds | undefined
  /** How long a signing key signs. Default 30 days. */
  readonly rotateKeysEverySeconds?: number | undefined
}

export type AgentOptions<Router extends AnyTRPCRouter> = PartySettings & {
  /** Made with `agentRouter`; or what makes it, given the agent itself, to call other agents with. */
  readonly router: Router | ((self: Caller) => Router)
  /** Default: counters and approvals in memory. */
  readonly limitStores?: LimitStores | undefined
  readonly rateLimitTiers?: RateLimitTiers | undefined
  /** How long the agent goes by what it knows when the feed is gone. */
  readonly revocation?: Omit<RevocationOptions, 'onChange'> | undefined
}

export type HostOptions = PartySettings & {
  /** Starts it. What it answers with is disposed of with the world. */
  readonly start: (place: AgentPlace) => Promise<AsyncDisposable>
}

/** An agent that is served. It can call others, too. */
export type TestAgent<Router extends AnyTRPCRouter> = Caller & Callable<Router>

/** A request that arrived: who sent it to whom, by their ids. Whatever is in it is left out. */
export type PassedRequest = { readonly from: string; readonly to: string; readonly path: string }

/** A party that faults can happen to. */
export type Party = { readonly id: string }

export type TestWorld = AsyncDisposable &
  WorldActs & {
    readonly issuer: string
    /** The authorization server, to let faults happen to. */
    readonly authServer: Callable<AdminRouter>
    /** The admin API, with an operator's powers. */
    readonly admin: AgentClient<AdminRouter>
    /** Everything that was logged so far. */
    readonly logs: readonly LogLine[]
    /** Every request that arrived so far, in its order. */
    readonly requests: readonly PassedRequest[]
    now(): EpochSeconds
    /** Registers an agent and serves its router. Its scopes and limits are read from the router. */
    agent<Router extends AnyTRPCRouter>(
      id: string,
      options: AgentOptions<Router>,
    ): Promise<TestAgent<Router>>
    /**
     * Registers an agent that is run by a composition root of its own, which takes where its connections come from,
     * what it reaches others with, its clock and its log. What the router needs has to be said (`scopesSupported`).
     */
    host<Router extends AnyTRPCRouter>(id: string, options: HostOptions): Promise<TestAgent<Router>>
    /** What the party of this id is reached by, also before it is there. */
    urlOf(id: string): string
    /** Registers somebody who calls agents, and serves nothing. */
    caller(id: string, settings?: PartySettings): Promise<Caller>
    /** Lets time pass for everybody: tokens expire, heartbeats beat, streams end. Always wait for it. */
    advance(seconds: number): Promise<void>
    /**
     * Lets time pass until the promise is settled, and answers as it does: for calls that wait, like those that
     * are tried again. Rejects when it is not settled within so many seconds of the world, by default an hour.
     */
    whileTimePasses<Value>(promise: Promise<Value>, atMostSeconds?: number): Promise<Value>
    /**
     * Waits until everything that was set off has come to rest: no callback waits for its turn and no file or
     * cryptography is worked on. Other processes and threads of your own are not waited for.
     */
    settle(): Promise<void>
    /** Nobody reaches the party, or one other does not, and connections to it end. */
    outage(party: Party, options?: OutageOptions): Fault
    /** Requests to the party are answered with a status of 5xx, or any other. */
    failing(party: Party, options?: FailingOptions): Fault
    /** Requests to the party arrive later: when the world's time has advanced. */
    slow(party: Party, options: SlowOptions): Fault
    /** The clock of the party is wrong by so many seconds; the last word counts. */
    skew(party: Party, seconds: number): Fault
    /** The agent loses the revocation feed; silently, its connection only says nothing any more. */
    loseFeed(agent: Party, options?: { readonly silently?: boolean | undefined }): Fault
    /** Errors in the log that match are no reason for the world to fail at its end. */
    expectErrors(pattern: RegExp): void
  }

/** What a world throws at its end when something was wrong that no test looked at. */
export class TestWorldError extends Error {
  override readonly name = 'TestWorldError'
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(`in this world ${faults.join('\n')}`)
    this.faults = faults
  }
}

const AUTH_SERVER = 'auth-server'

/**
 * Creates a world with an authorization server and nobody else in it. Nothing is on disk, nothing has a port.
 * Disposing ends everything, and rejects with `TestWorldError` when a server logged an error that was not
 * expected, a token or a secret.
 */
export async function createTestWorld(options: TestWorldOptions = {}): Promise<TestWorld> {
  await using stack = new AsyncDisposableStack()
  const time = createWorldClock(options.beginsAt)
  const skews = new Map<string, number>()
  const clockOf = (id: string) => time.forParty(() => skews.get(id) ?? 0)
  const rest = stack.use(watchRest())
  const settle = async (): Promise<void> => rest.settle()
  const requests: PassedRequest[] = []
  const faults = createFaultBox(clockOf('world'))
  const network = createMemoryNetwork({
    gate(passing) {
      const { from, path, to } = passing
      requests.push({ from, to: toId(to), path })
      return faults.gate(passing)
    },
    isReachable: faults.isReachable,
  })
  const book = createLogBook()
  const issuer = toUrl(AUTH_SERVER)
  const operator: { credentials?: CredentialsFile } = {}
  stack.use(
    await createAuthServer({
      issuer,
      port: 443,
      bind: network.bind(toHost(AUTH_SERVER), clockOf(AUTH_SERVER)),
      database: { file: ':memory:' },
      operatorFile: (credentials) => {
        operator.credentials = credentials
      },
      keyEncryptionKey: randomBytes(32).toString('base64url'),
      rotateKeysEverySeconds: options.rotateKeysEverySeconds,
      clock: clockOf(AUTH_SERVER),
      logger: book.createLogger(AUTH_SERVER),
    }),
  )
  const { client_id: clientId, client_secret: secret } = operator.credentials ?? fail()
  book.keepSecret(secret)
  const operatorReach = stack.use(network.reach(clientId))
  const admin = stack.use(
    createAgentClient<AdminRouter>({
      url: issuer,
      credentials: clientSecret({
        issuer,
        clientId,
        clientSecret: secret,
        clock: clockOf(clientId),
        fetch: operatorReach.fetch,
      }),
      audience: AUTH_SERVER,
      scopes: [],
      fetch: operatorReach.fetch,
      clock: clockOf(clientId),
    }),
  )

  const stackOfParties = stack.use(new AsyncDisposableStack())
  const use = <Resource extends AsyncDisposable>(one: Resource): Resource => stackOfParties.use(one)
  const enrol = createEnrol({ issuer, admin, network, clockOf, book, use })

  async function agent<Router extends AnyTRPCRouter>(
    id: string,
    { limitStores, rateLimitTiers, revocation, router: given, ...settings }: AgentOptions<Router>,
  ): Promise<TestAgent<Router>> {
    const known = typeof given === 'function' ? {} : readDemands(given)
    const { caller, place } = await enrol(id, { ...known, ...settings, isServed: true })
    const router = typeof given === 'function' ? given(caller) : given
    if (typeof given === 'function') {
      await admin.agents.update.mutate({ id, settings: { ...readDemands(router), ...settings } })
    }
    use(await serveTestAgent({ place, router, limitStores, rateLimitTiers, revocation }))
    return { ...caller, url: place.url }
  }

  async function host<Router extends AnyTRPCRouter>(
    id: string,
    { start, ...settings }: HostOptions,
  ): Promise<TestAgent<Router>> {
    const { caller, place } = await enrol(id, { ...settings, isServed: true })
    use(await start(place))
    // It follows the revocation feed by then.
    await settle()
    return { ...caller, url: place.url }
  }

  const resources = stack.move()
  return {
    ...createWorldActs({ admin, settle }),
    issuer,
    authServer: { id: AUTH_SERVER, url: issuer },
    admin,
    logs: book.lines,
    requests,
    now: () => time.now(),
    agent,
    host,
    urlOf: toUrl,
    caller: async (id, settings = {}) => (await enrol(id, settings)).caller,
    async advance(seconds) {
      await settle()
      await time.advance(seconds, settle)
    },
    async whileTimePasses(promise, atMostSeconds = 3600) {
      let isPending = true
      const end = (): void => {
        isPending = false
      }
      promise.then(end, end)
      if (await time.passWhile(() => isPending, { atMostSeconds, settle })) return promise
      throw new Error(`nothing came of it within ${String(atMostSeconds)} seconds of the world`)
    },
    settle,
    outage: (party, how) => faults.outage(toHost(party.id), network, how),
    failing: (party, how) => faults.failing(toHost(party.id), how),
    slow: (party, how) => faults.slow(toHost(party.id), how),
    skew(party, seconds) {
      skews.set(party.id, seconds)
      const lift = (): void => void skews.delete(party.id)
      return { lift, [Symbol.dispose]: lift }
    },
    loseFeed: (party, how) => faults.loseFeed(party.id, how),
    expectErrors: (pattern) => book.expect(pattern),
    async [Symbol.asyncDispose]() {
      await resources.disposeAsync()
      const found = book.findFaults()
      if (found.length > 0) throw new TestWorldError(found)
    },
  }
}

function fail(): never {
  throw new TypeError('the authorization server did not say who its operator is')
}
