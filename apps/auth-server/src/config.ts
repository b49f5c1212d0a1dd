import * as z from 'zod'

const Port = z.coerce.number().int().min(1).max(65_535)

/** The server's settings from the environment. */
export const Config = z
  .object({
    PORT: Port.default(2884),
    DEPUTY_HOST: z.string().min(1).default('127.0.0.1'),
    DEPUTY_ISSUER: z.url().optional(),
    DEPUTY_DATABASE_FILE: z.string().min(1).default('.deputy/auth-server.sqlite'),
    DEPUTY_OPERATOR_FILE: z.string().min(1).default('.deputy/credentials/operator.json'),
    DEPUTY_RESET_OPERATOR: z.stringbool().default(false),
    DEPUTY_LOG_LEVEL: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info'),
  })
  .transform((env) => ({
    host: env.DEPUTY_HOST,
    port: env.PORT,
    issuer: env.DEPUTY_ISSUER ?? `http://${env.DEPUTY_HOST}:${String(env.PORT)}`,
    databaseFile: env.DEPUTY_DATABASE_FILE,
    operatorFile: env.DEPUTY_OPERATOR_FILE,
    resetOperator: env.DEPUTY_RESET_OPERATOR,
    logLevel: env.DEPUTY_LOG_LEVEL,
  }))
export type Config = z.infer<typeof Config>

/** Reads the settings. Throws an `Error` whose message names each variable that is wrong. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const config = Config.safeParse(environment)
  if (config.success) return config.data
  const faults = config.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new Error(`these settings are wrong: ${faults.join('; ')}`)
}
