// An agent in a process of its own, whose one call is held until the parent says "open". Started by tests.
import { accept } from '@deputy/auth/protocol'
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { closeOnSignal, createLogger, serveAgent } from '../src/index.ts'

const principal = {
  agentId: 'agent-alice-v1',
  subject: 'agent-alice-v1',
  audience: 'agent-held-v1',
  scopes: ['notes:read'],
  priorActors: [],
  expiresAt: undefined,
  grantPath: ['token-1'],
  limits: [],
  credential: { kind: 'access_token', id: 'token-1' },
} as const

const tell = (message: unknown): void => void process.send?.(message)
const opened = new Promise<void>((resolve) => {
  process.on('message', (message) => {
    if (message === 'open') resolve()
  })
})
const limits = { drainTimeoutMs: Number(process.argv[2]) }
const logger = createLogger({ name: 'agent-held-v1', level: 'silent' })
const agent = await serveAgent({
  agentId: 'agent-held-v1',
  issuer: 'https://issuer.example',
  router: agentRouter({
    hold: scopedProcedure('notes:read').query(async () => {
      tell('entered')
      await opened
      return 'done'
    }),
  }),
  authenticator: {
    authenticate: async () =>
      accept({
        principal,
        recheck: async () => accept(principal),
        watch: () => () => undefined,
      }),
  },
  port: 0,
  logger,
  limits,
})
closeOnSignal(
  async () => {
    tell('closing')
    await agent.close()
  },
  logger,
  limits,
)
tell(agent.port)
