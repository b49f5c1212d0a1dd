import { AgentEnvironment, readEnvironment } from '@deputy/serve'
import * as z from 'zod'

const Config = AgentEnvironment.extend({
  PORT: AgentEnvironment.shape.PORT.default(2885),
  DEPUTY_DATABASE_FILE: z.string().min(1).default('.deputy/billing.sqlite'),
  DEPUTY_DATABASE_URL: z.url({ protocol: /^postgres(?:ql)?$/ }).optional(),
  DEPUTY_RESEARCH_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .default('http://127.0.0.1:2886'),
  DEPUTY_METRICS_PORT: z.coerce.number().int().min(1).max(65_535).optional(),
}).transform((env) => ({
  host: env.DEPUTY_HOST,
  port: env.PORT,
  credentialsFile: env.DEPUTY_CREDENTIALS_FILE,
  database:
    env.DEPUTY_DATABASE_URL === undefined
      ? { file: env.DEPUTY_DATABASE_FILE }
      : { url: env.DEPUTY_DATABASE_URL },
  researchUrl: env.DEPUTY_RESEARCH_URL,
  metricsPort: env.DEPUTY_METRICS_PORT,
  clockToleranceSeconds: env.DEPUTY_CLOCK_TOLERANCE_SECONDS,
  redisUrl: env.DEPUTY_REDIS_URL,
  rateLimitTiers: env.DEPUTY_RATE_LIMIT_TIERS,
  trustedProxies: env.DEPUTY_TRUSTED_PROXIES,
  agentLimits: env.DEPUTY_LIMITS,
  logLevel: env.DEPUTY_LOG_LEVEL,
}))

/** The agent's settings from the environment. */
export type Config = z.infer<typeof Config>

/** Reads the settings. Throws `EnvironmentError` naming each variable that is wrong. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  return readEnvironment(Config, environment)
}
