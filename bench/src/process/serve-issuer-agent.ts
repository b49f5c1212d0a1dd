// An agent behind Deputy's guard at a real issuer, as a process of its own. What its routers share besides.
import { createIssuerAuthenticator } from '../../../packages/auth/src/index.ts'
import { createLogger, serveAgent } from '../../../packages/serve/src/index.ts'

const read = (name: string): string => {
  const value = process.env[name]
  if (value === undefined) throw new TypeError(`${name} is not set`)
  return value
}

/** Serves the router as the environment says, until the process that started this one is gone. */
export async function serveIssuerAgent(
  router: Parameters<typeof serveAgent>[0]['router'],
): Promise<void> {
  const agentId = read('AGENT_ID')
  const issuer = read('ISSUER')
  await serveAgent({
    agentId,
    router,
    authenticator: createIssuerAuthenticator({ issuer, agentId, clientSecret: read('SECRET') }),
    issuer,
    port: Number(read('PORT')),
    // How often somebody may call is not what is measured.
    rateLimitTiers: { standard: { burst: 1_000_000, perMinute: 60_000_000 } },
    logger: createLogger({ name: agentId, level: 'warn' }),
  })
  process.on('disconnect', () => process.exit(0))
}
