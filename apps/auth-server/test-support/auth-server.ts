// A whole authorization server in the test's own process, on loopback, with a clock that the test sets.
import { CredentialsFile } from '@deputy/auth/protocol'
import { createLogger } from '@deputy/serve'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAuthServer, type AuthServerOptions } from '../src/index.ts'
import { createSettableClock, type SettableClock } from '../../../test/support/settable-clock.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { findFreePort } from '../../../test/support/find-free-port.ts'

export type TestServer = AsyncDisposable & {
  /** Also where it listens. */
  readonly issuer: string
  readonly clock: SettableClock
  readonly operator: Client
  close(): Promise<void>
}

/** An agent's id and secret. */
export type Client = { readonly id: string; readonly secret: string }

/** Where a server keeps its things: pass the same again to restart it. */
export type Place = {
  readonly port: number
  readonly databaseFile: string
  readonly operatorFile: string
}

/** Chooses a port and names files in the folder; nothing is made yet. */
export async function createPlace(folder: string): Promise<Place> {
  return {
    port: await findFreePort(),
    databaseFile: join(folder, 'data', 'auth-server.sqlite'),
    operatorFile: join(folder, 'credentials', 'operator.json'),
  }
}

/** What a test may want otherwise than by default. */
export type TestServerOptions = Partial<
  Pick<
    AuthServerOptions,
    'agentLimits' | 'dpopNonceSecret' | 'isRegistrationOpen' | 'rateLimitTiers' | 'signingAlgorithm'
  >
> & {
  readonly clock?: SettableClock | undefined
  /** Of the issuer, like `/tenant`. Default: none. */
  readonly issuerPath?: string | undefined
}

/** Starts a server in a place. */
export async function startAt(place: Place, options: TestServerOptions = {}): Promise<TestServer> {
  const { clock = createSettableClock(), issuerPath = '', ...settings } = options
  const issuer = `http://127.0.0.1:${String(place.port)}${issuerPath}`
  const logger = createLogger({ name: 'auth-server', level: 'silent' })
  const server = await createAuthServer({
    ...settings,
    port: place.port,
    operatorFile: place.operatorFile,
    database: { file: place.databaseFile },
    issuer,
    clock,
    logger,
  })
  const operator = await readOperator(place.operatorFile)
  const close = async (): Promise<void> => server.close()
  return { issuer, clock, operator, close, [Symbol.asyncDispose]: close }
}

/** Starts a server in a folder of its own, gone with the server. */
export async function startAuthServer(options: TestServerOptions = {}): Promise<TestServer> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const server = stack.use(await startAt(await createPlace(folder.path), options))
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { ...server, close, [Symbol.asyncDispose]: close }
}

/** Reads the operator's file. */
export async function readOperatorFile(file: string): Promise<CredentialsFile> {
  return CredentialsFile.parse(JSON.parse(await readFile(file, 'utf8')))
}

async function readOperator(file: string): Promise<Client> {
  const { client_id: id, client_secret: secret } = await readOperatorFile(file)
  return { id, secret }
}
