// What every app reads from its environment in the same way.
import { DEFAULT_RATE_LIMIT_TIERS, RateLimitTiers } from '@deputy/auth'
import * as z from 'zod'
import { AgentLimitsSetting } from './limits/agent-limits.ts'

/** The settings that each server has. `PORT` has no default here: each app has its own. */
export const ServerEnvironment = z.object({
  /** 0 for any that is free: the log says which. */
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a number from 0 to 65535')
    .transform(Number)
    .pipe(z.int().max(65_535)),
  DEPUTY_HOST: z.string().min(1).default('127.0.0.1'),
  DEPUTY_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info'),
  /** Where instances share what they count. A rediss:// URL is Redis or Valkey over TLS. */
  DEPUTY_REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  /** As JSON: `{"standard":{"burst":1000,"perMinute":6000},"unlimited":null}`. */
  DEPUTY_RATE_LIMIT_TIERS: z
    .string()
    .transform(parseJson)
    .pipe(RateLimitTiers)
    .default(DEFAULT_RATE_LIMIT_TIERS),
  /** As JSON, those that are to be other than their defaults: `{"maxBodyBytes":65536,"webSocket":{"maxSubscriptions":10}}`. */
  DEPUTY_LIMITS: z.string().transform(parseJson).pipe(AgentLimitsSetting).optional(),
  /** How many proxies in front are trusted to name the caller's address. */
  DEPUTY_TRUSTED_PROXIES: z.coerce.number().int().min(0).max(10).default(0),
})

/** The settings that each agent has beside those of a server. */
export const AgentEnvironment = ServerEnvironment.extend({
  DEPUTY_CREDENTIALS_FILE: z.string({ error: 'is required' }).min(1),
  DEPUTY_CLOCK_TOLERANCE_SECONDS: z.coerce.number().int().min(0).max(300).default(5),
})

/** The environment named a setting that is missing or wrong. The message names each. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError'
  readonly code = 'environment_invalid'
}

/** Reads settings. Throws `EnvironmentError`, never with a value in its message: it may be a secret. */
export function readEnvironment<Settings>(
  schema: z.ZodType<Settings>,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const settings = schema.safeParse(environment)
  if (settings.success) return settings.data
  const faults = settings.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new EnvironmentError(`these settings are wrong: ${faults.join('; ')}`)
}

/** `undefined`, which no schema takes, for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
