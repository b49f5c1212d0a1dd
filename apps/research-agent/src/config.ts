import { parseSecureUrl } from '@deputy/auth/protocol'
import { AgentEnvironment, readEnvironment } from '@deputy/serve'
import * as z from 'zod'
import { LEASE_SECONDS } from './jobs/lease.ts'
import { DEFAULT_LIMITS } from './loop/limits.ts'
import type { ModelSettings } from './models/open-planner.ts'

/** In a US dollar. */
const MICROS = 1_000_000

/** US dollars for a million tokens. */
const Price = z.coerce.number().min(0).max(10_000).default(0)

const Config = AgentEnvironment.extend({
  PORT: AgentEnvironment.shape.PORT.default(2886),
  DEPUTY_DATABASE_FILE: z.string().min(1).default('.deputy/research.sqlite'),
  DEPUTY_DOCUMENTS: z.string().min(1).optional(),
  DEPUTY_MORE_DOCUMENTS: z.string().min(1).optional(),
  DEPUTY_METRICS_PORT: z.coerce.number().int().min(1).max(65_535).optional(),
  DEPUTY_BILLING_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .default('http://127.0.0.1:2885'),
  DEPUTY_MODEL_URL: z
    .string()
    .refine(isSecure, 'must be an https URL, or an http one of this machine: the key travels to it')
    .optional(),
  DEPUTY_MODEL_NAME: z.string().min(1).max(100).optional(),
  DEPUTY_MODEL_API_KEY: z.string().min(1).optional(),
  DEPUTY_MODEL_INPUT_PRICE: Price,
  DEPUTY_MODEL_OUTPUT_PRICE: Price,
  DEPUTY_RESEARCH_MAX_STEPS: z.coerce
    .number()
    .int()
    .min(2)
    .max(100)
    .default(DEFAULT_LIMITS.maxSteps),
  DEPUTY_RESEARCH_MAX_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3600)
    .default(DEFAULT_LIMITS.maxSeconds),
  DEPUTY_RESEARCH_MAX_TOKENS: z.coerce
    .number()
    .int()
    .min(1000)
    .max(10_000_000)
    .default(DEFAULT_LIMITS.maxTokens),
  DEPUTY_RESEARCH_MAX_COST: z.coerce
    .number()
    .positive()
    .max(1000)
    .default(DEFAULT_LIMITS.maxCostMicros / MICROS),
  DEPUTY_RESEARCH_LEASE_SECONDS: z.coerce.number().int().min(2).max(300).default(LEASE_SECONDS),
})
  .refine((env) => (env.DEPUTY_MODEL_URL === undefined) === (env.DEPUTY_MODEL_NAME === undefined), {
    path: ['DEPUTY_MODEL_NAME'],
    error: 'goes with DEPUTY_MODEL_URL: give both, or neither',
  })
  .transform((env) => ({
    host: env.DEPUTY_HOST,
    port: env.PORT,
    credentialsFile: env.DEPUTY_CREDENTIALS_FILE,
    databaseFile: env.DEPUTY_DATABASE_FILE,
    documents: env.DEPUTY_DOCUMENTS,
    moreDocuments: env.DEPUTY_MORE_DOCUMENTS,
    metricsPort: env.DEPUTY_METRICS_PORT,
    billingUrl: env.DEPUTY_BILLING_URL,
    model: toModel(env),
    limits: {
      maxSteps: env.DEPUTY_RESEARCH_MAX_STEPS,
      maxSeconds: env.DEPUTY_RESEARCH_MAX_SECONDS,
      maxTokens: env.DEPUTY_RESEARCH_MAX_TOKENS,
      maxCostMicros: Math.round(env.DEPUTY_RESEARCH_MAX_COST * MICROS),
    },
    leaseSeconds: env.DEPUTY_RESEARCH_LEASE_SECONDS,
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

type ModelEnvironment = {
  readonly DEPUTY_MODEL_URL?: string | undefined
  readonly DEPUTY_MODEL_NAME?: string | undefined
  readonly DEPUTY_MODEL_API_KEY?: string | undefined
  readonly DEPUTY_MODEL_INPUT_PRICE: number
  readonly DEPUTY_MODEL_OUTPUT_PRICE: number
}

function toModel(env: ModelEnvironment): ModelSettings | undefined {
  const { DEPUTY_MODEL_NAME: name, DEPUTY_MODEL_URL: url } = env
  if (name === undefined || url === undefined) return undefined
  return {
    name,
    url,
    apiKey: env.DEPUTY_MODEL_API_KEY,
    inputPrice: env.DEPUTY_MODEL_INPUT_PRICE,
    outputPrice: env.DEPUTY_MODEL_OUTPUT_PRICE,
  }
}

function isSecure(url: string): boolean {
  try {
    parseSecureUrl(url, 'url')
    return true
  } catch {
    return false
  }
}
