// A real authorization server as a process of its own, and its admin API.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { AdminRouter } from '../../../apps/auth-server/src/index.ts'
import { CredentialsFile } from '../../../packages/auth/src/protocol/index.ts'
import { clientSecret, createAgentClient } from '../../../packages/client/src/index.ts'
import { startServerProcess } from './server-process.ts'

export type AuthServerOptions = {
  readonly issuer: string
  /** Where this instance listens. Default: at the issuer's. */
  readonly origin?: string | undefined
  /** `DEPUTY_DATABASE_FILE` or `DEPUTY_DATABASE_URL`. */
  readonly database: Readonly<Record<string, string>>
  readonly operatorFile: string
  readonly logFile: string
}

/** Starts one. Nobody is limited in how many tokens he may ask for: that is not what is measured. */
export async function startAuthServer(options: AuthServerOptions): Promise<AsyncDisposable> {
  const { database, issuer, logFile, operatorFile, origin = issuer } = options
  return startServerProcess({
    name: 'auth-server',
    main: fileURLToPath(new URL('../../../apps/auth-server/src/main.ts', import.meta.url)),
    environment: {
      PORT: new URL(origin).port,
      DEPUTY_ISSUER: issuer,
      DEPUTY_OPERATOR_FILE: operatorFile,
      DEPUTY_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64url'),
      DEPUTY_RATE_LIMIT_TIERS: '{"standard":null}',
      ...database,
    },
    logFile,
    readyUrl: `${origin}/readyz`,
  })
}

export type Admin = ReturnType<typeof createAgentClient<AdminRouter>>

/** The admin API at an origin, as the operator whose credentials are in the file. */
export async function openAdmin(
  origin: string,
  { issuer, operatorFile }: Pick<AuthServerOptions, 'issuer' | 'operatorFile'>,
): Promise<Admin> {
  const operator = CredentialsFile.parse(JSON.parse(await readFile(operatorFile, 'utf8')))
  return createAgentClient<AdminRouter>({
    url: origin,
    audience: 'auth-server',
    scopes: [],
    credentials: clientSecret({
      issuer,
      clientId: operator.client_id,
      clientSecret: operator.client_secret,
    }),
  })
}
