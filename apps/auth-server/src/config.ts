import { readEnvironment, ServerEnvironment } from '@deputy/serve'
import * as z from 'zod'

// > a URL that uses the "https" scheme and has no query or fragment components (RFC 8414 §2); plain
// http is for loopback and for a proxy that ends TLS.
const Issuer = z
  .url({ protocol: /^https?$/ })
  .refine((url) => !/[?#]/.test(url), 'must have no query and no fragment')
  // RFC 8414 §3.1 puts the metadata of an issuer with a path elsewhere; it is not served there.
  .refine((url) => URL.parse(url)?.pathname === '/', 'must have no path')

/** Addresses that a server listens on and nobody can call. */
const WILDCARDS = new Set(['0.0.0.0', '::'])

const Config = ServerEnvironment.extend({
  PORT: ServerEnvironment.shape.PORT.default(2884),
  DEPUTY_ISSUER: Issuer.optional(),
  DEPUTY_DATABASE_FILE: z.string().min(1).default('.deputy/auth-server.sqlite'),
  DEPUTY_DATABASE_URL: z.url({ protocol: /^postgres(?:ql)?$/ }).optional(),
  DEPUTY_OPERATOR_FILE: z.string().min(1).default('.deputy/credentials/operator.json'),
  DEPUTY_RESET_OPERATOR: z.stringbool().default(false),
  DEPUTY_REGISTRATION: z.stringbool().default(false),
})
  .refine((env) => env.DEPUTY_ISSUER !== undefined || !WILDCARDS.has(env.DEPUTY_HOST), {
    path: ['DEPUTY_ISSUER'],
    message: 'is required where DEPUTY_HOST is every address: callers need one to reach',
  })
  .transform((env) => ({
    host: env.DEPUTY_HOST,
    port: env.PORT,
    issuer: env.DEPUTY_ISSUER ?? `http://${toUrlHost(env.DEPUTY_HOST)}:${String(env.PORT)}`,
    database:
      env.DEPUTY_DATABASE_URL === undefined
        ? { file: env.DEPUTY_DATABASE_FILE }
        : { url: env.DEPUTY_DATABASE_URL },
    operatorFile: env.DEPUTY_OPERATOR_FILE,
    resetOperator: env.DEPUTY_RESET_OPERATOR,
    isRegistrationOpen: env.DEPUTY_REGISTRATION,
    logLevel: env.DEPUTY_LOG_LEVEL,
  }))

/** The server's settings from the environment. */
export type Config = z.infer<typeof Config>

/** Reads the settings. Throws `EnvironmentError` naming each variable that is wrong. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  return readEnvironment(Config, environment)
}

/** An IPv6 address stands in brackets in a URL (RFC 3986 §3.2.2). */
function toUrlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
