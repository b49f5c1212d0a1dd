import { isSecureUrl, SIGNATURE_ALGORITHMS } from '@deputy/auth/protocol'
import { readEnvironment, ServerEnvironment } from '@deputy/serve'
import * as z from 'zod'
import { parseEncryptionKey } from './keys/encryption-key.ts'
import { DEFAULT_ROTATE_EVERY_SECONDS, PUBLISH_SECONDS } from './keys/key-schedule.ts'

// > a URL that uses the "https" scheme and has no query or fragment components (RFC 8414 §2)
const Issuer = z
  .url({ protocol: /^https?$/ })
  .refine(isSecureUrl, 'must be https (http on this machine only): put TLS in front of the server')
  .refine((url) => !/[?#]/.test(url), 'must have no query and no fragment')
  .refine(hasPlainPath, 'must have a path of letters, digits, "-", "." and "_" only, if any')

const EncryptionKey = z
  .string()
  .refine((text) => parseEncryptionKey(text) !== undefined, 'must be 32 bytes in base64url')

const Config = ServerEnvironment.extend({
  PORT: ServerEnvironment.shape.PORT.default(2884),
  DEPUTY_ISSUER: Issuer.optional(),
  DEPUTY_DATABASE_FILE: z.string().min(1).default('.deputy/auth-server.sqlite'),
  DEPUTY_DATABASE_URL: z.url({ protocol: /^postgres(?:ql)?$/ }).optional(),
  DEPUTY_OPERATOR_FILE: z.string().min(1).default('.deputy/credentials/operator.json'),
  DEPUTY_RESET_OPERATOR: z.stringbool().default(false),
  DEPUTY_DPOP_NONCE_SECRET: EncryptionKey.optional(),
  DEPUTY_ALLOW_PRIVATE_JWKS_ADDRESSES: z.stringbool().default(false),
  DEPUTY_REGISTRATION: z.stringbool().default(false),
  DEPUTY_SIGNING_ALGORITHM: z.enum(SIGNATURE_ALGORITHMS).default('ES256'),
  DEPUTY_ROTATE_KEYS_EVERY_SECONDS: z.coerce
    .number()
    .int()
    // A key may not sign before it was public for so long.
    .min(PUBLISH_SECONDS)
    .max(365 * 24 * 60 * 60)
    .default(DEFAULT_ROTATE_EVERY_SECONDS),
  DEPUTY_CLIENT_MEMORY_MIB: z.coerce.number().int().min(1).max(4096).default(160),
  DEPUTY_KEY_ENCRYPTION_KEY: EncryptionKey.optional(),
  DEPUTY_PREVIOUS_KEY_ENCRYPTION_KEYS: z
    .string()
    .transform((text) => text.split(',').map((key) => key.trim()))
    .pipe(z.array(EncryptionKey))
    .default([]),
})
  .refine((env) => env.DEPUTY_ISSUER !== undefined || env.PORT !== 0, {
    path: ['DEPUTY_ISSUER'],
    message:
      'is required with PORT=0: the URL by which callers reach the server, whatever its port is',
  })
  .refine((env) => env.DEPUTY_ISSUER !== undefined || isSecureUrl(toDefaultIssuer(env)), {
    path: ['DEPUTY_ISSUER'],
    message: 'is required where other machines call: the https URL by which they reach the server',
  })
  .transform((env) => ({
    host: env.DEPUTY_HOST,
    port: env.PORT,
    issuer: env.DEPUTY_ISSUER ?? toDefaultIssuer(env),
    database:
      env.DEPUTY_DATABASE_URL === undefined
        ? { file: env.DEPUTY_DATABASE_FILE }
        : { url: env.DEPUTY_DATABASE_URL },
    operatorFile: env.DEPUTY_OPERATOR_FILE,
    resetOperator: env.DEPUTY_RESET_OPERATOR,
    isRegistrationOpen: env.DEPUTY_REGISTRATION,
    signingAlgorithm: env.DEPUTY_SIGNING_ALGORITHM,
    rotateKeysEverySeconds: env.DEPUTY_ROTATE_KEYS_EVERY_SECONDS,
    keyEncryptionKey: env.DEPUTY_KEY_ENCRYPTION_KEY,
    previousKeyEncryptionKeys: env.DEPUTY_PREVIOUS_KEY_ENCRYPTION_KEYS,
    redisUrl: env.DEPUTY_REDIS_URL,
    rateLimitTiers: env.DEPUTY_RATE_LIMIT_TIERS,
    maxClientMemoryBytes: env.DEPUTY_CLIENT_MEMORY_MIB * 1024 * 1024,
    agentLimits: env.DEPUTY_LIMITS,
    dpopNonceSecret: env.DEPUTY_DPOP_NONCE_SECRET,
    allowPrivateJwksAddresses: env.DEPUTY_ALLOW_PRIVATE_JWKS_ADDRESSES,
    trustedProxies: env.DEPUTY_TRUSTED_PROXIES,
    logLevel: env.DEPUTY_LOG_LEVEL,
  }))

/** The server's settings from the environment. */
export type Config = z.infer<typeof Config>

/** Reads the settings. Throws `EnvironmentError` naming each variable that is wrong. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  return readEnvironment(Config, environment)
}

function toDefaultIssuer(env: { readonly DEPUTY_HOST: string; readonly PORT: number }): string {
  return `http://${toUrlHost(env.DEPUTY_HOST)}:${String(env.PORT)}`
}

/** Whether the path reads the same to everybody: no escapes, no dots that lead up, no empty segments. */
function hasPlainPath(url: string): boolean {
  const path = /^[a-z]+:\/\/[^/]*(.*)$/i.exec(url)?.[1] ?? ''
  return /^(?:\/(?!\.{1,2}(?:\/|$))[\w.-]+)*\/?$/.test(path)
}

/** An IPv6 address stands in brackets in a URL (RFC 3986 §3.2.2). */
function toUrlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
