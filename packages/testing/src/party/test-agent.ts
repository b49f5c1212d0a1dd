// An agent of a world: the author's router, run by the real server behind the real guard.
import {
  createIssuerAuthenticator,
  createLocalReplayMemory,
  createMemoryCallCounter,
  createMemoryRateLimiter,
  type LimitStores,
  type RateLimitTiers,
  type RevocationOptions,
} from '@deputy/auth'
import { createFeedLog, serveAgent, type RunningAgent } from '@deputy/serve'
import type { AnyTRPCRouter } from '@trpc/server'
import type { AgentPlace } from './enrol.ts'

export type ServeTestAgentOptions = {
  readonly place: AgentPlace
  readonly router: AnyTRPCRouter
  readonly limitStores?: LimitStores | undefined
  readonly rateLimitTiers?: RateLimitTiers | undefined
  readonly revocation?: Omit<RevocationOptions, 'onChange'> | undefined
}

/** Starts the agent. It follows the revocation feed when this resolves. */
export async function serveTestAgent(options: ServeTestAgentOptions): Promise<RunningAgent> {
  const { bind, clock, credentialsFile, fetch, id: agentId, logger, url } = options.place
  const { client_secret: clientSecret, issuer } = credentialsFile
  await using stack = new AsyncDisposableStack()
  const following = Promise.withResolvers<void>()
  const log = createFeedLog(logger)
  const authenticator = stack.use(
    createIssuerAuthenticator({
      issuer,
      agentId,
      clientSecret,
      clock,
      fetch,
      clockToleranceSeconds: 0,
      revocation: {
        ...options.revocation,
        onChange(state) {
          log(state)
          if (state.state === 'following') following.resolve()
        },
      },
    }),
  )
  const running = stack.use(
    await serveAgent({
      agentId,
      router: options.router,
      authenticator,
      issuer,
      port: 443,
      bind,
      publicUrl: url,
      rateLimiter: createMemoryRateLimiter({ clock }),
      rateLimitTiers: options.rateLimitTiers,
      limitStores: options.limitStores ?? {
        callCounter: createMemoryCallCounter({ clock }),
        approvals: createLocalReplayMemory({ clock }),
        clock,
      },
      logger,
    }),
  )
  // An agent that has heard nothing yet asks about each token: a test would not know which way it took.
  await following.promise
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { ...running, close, [Symbol.asyncDispose]: close }
}
