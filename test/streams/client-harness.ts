// Deputy's client, subscribed to the ticks of a test agent.
import type { Clock } from '@deputy/auth/protocol'
import {
  clientSecret,
  createAgentClient,
  toClientError,
  type AgentClientOptions,
  type ClientError,
} from '@deputy/client'
import { createFakeTokenEndpoint } from '../support/fake-token-endpoint.ts'
import { TEST_AGENT, type TestAgent, type TestRouter } from '../support/test-agent.ts'
import { ISSUER } from '../support/test-issuer.ts'

export type Transport = 'http' | 'websocket'

/** The default of the client. */
const TIMEOUT_MS = 30_000

/** A clock on which every wait is over at once, but for the time limit of calls. */
function createImpatientClock(): Clock {
  return {
    now: () => 1_800_000_000,
    after(ms, callback) {
      if (ms >= TIMEOUT_MS) return () => undefined
      const handle = setImmediate(callback)
      return () => {
        clearImmediate(handle)
      }
    },
  }
}

export type StreamClientOptions = Partial<AgentClientOptions> & {
  readonly transport: Transport
  /** Answers a request for a token; the first is 0. */
  readonly answerToken: (at: number) => Promise<Response>
  readonly dpopKey?: Parameters<typeof clientSecret>[0]['dpopKey']
}

/** Creates the client. */
export function createStreamClient(agent: TestAgent, options: StreamClientOptions) {
  const { answerToken, dpopKey, ...rest } = options
  const endpoint = createFakeTokenEndpoint(answerToken)
  const client = createAgentClient<TestRouter>({
    url: agent.url,
    audience: TEST_AGENT,
    scopes: ['billing:read'],
    clock: createImpatientClock(),
    resume: { random: () => 0 },
    credentials: clientSecret({
      issuer: ISSUER,
      clientId: 'agent-alice-v1',
      clientSecret: 'cs-agent-hunter2',
      fetch: endpoint.fetch,
      clock: agent.clock,
      random: () => 0,
      dpopKey,
    }),
    ...rest,
  })
  return { client, endpoint }
}

export type StreamClient = ReturnType<typeof createStreamClient>['client']

/** What a subscriber gets, and waits for. */
export function collectTicks(client: StreamClient) {
  const ticks: number[] = []
  const states: string[] = []
  const errors: ClientError[] = []
  let changed = Promise.withResolvers<void>()
  const change = (): void => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  const subscription = client.ticks.subscribe(undefined, {
    onData({ data }) {
      ticks.push(data)
      change()
    },
    onConnectionStateChange({ error, state }) {
      const { code } = error === null ? { code: '' } : toClientError(error)
      states.push(`${state} ${code}`.trim())
      change()
    },
    onError(error) {
      errors.push(toClientError(error))
      change()
    },
  })
  return {
    ticks,
    states,
    /** Waits until so many have come. Rejects when the subscription ends in an error. */
    async reach(count: number): Promise<void> {
      while (ticks.length < count) {
        if (errors[0] !== undefined) throw errors[0]
        await changed.promise
      }
    },
    /** Waits until the state was told so often. */
    async until(state: string, times = 1): Promise<void> {
      while (states.filter((one) => one === state).length < times) await changed.promise
    },
    /** Waits for the error that it ends with. */
    async error(): Promise<ClientError> {
      for (;;) {
        if (errors[0] !== undefined) return errors[0]
        await changed.promise
      }
    },
    [Symbol.dispose]: () => {
      subscription.unsubscribe()
    },
  }
}
