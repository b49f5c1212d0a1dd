// An authorization server that can be restarted, and an agent: each a process of its own.
import { fileURLToPath } from 'node:url'
import { openAdmin, startAuthServer, type Admin } from '../process/auth-server.ts'
import { findFreePort } from '../process/find-free-port.ts'
import type { RunFolder } from '../process/run-folder.ts'
import { startServerProcess } from '../process/server-process.ts'

export const AGENT_ID = 'agent-notes'
export const SCOPE = 'bench:call'

export type Client = { readonly clientId: string; readonly clientSecret: string }

export type ClientWorld = AsyncDisposable & {
  readonly issuer: string
  readonly agentUrl: string
  readonly admin: Admin
  /** Registers somebody who calls the agent, with tokens that live so long. */
  enroll(id: string, accessTokenTtlSeconds?: number): Promise<Client>
  /** Stops the authorization server, and starts it again on the same database and port. */
  restartAuthServer(): Promise<void>
}

/** Starts both, and waits until they can be called. */
export async function startClientWorld(folder: RunFolder): Promise<ClientWorld> {
  await using stack = new AsyncDisposableStack()
  const issuer = `http://127.0.0.1:${String(await findFreePort())}`
  const operatorFile = folder.file('operator.json')
  const start = async (): Promise<AsyncDisposable> =>
    startAuthServer({
      issuer,
      operatorFile,
      database: { DEPUTY_DATABASE_FILE: folder.file('auth.sqlite') },
      logFile: folder.file('auth-server.log'),
    })
  let authServer = await start()
  stack.defer(async () => authServer[Symbol.asyncDispose]())
  const admin = stack.use(await openAdmin(issuer, { issuer, operatorFile }))
  async function register(id: string, settings: object): Promise<Client> {
    await admin.agents.create.mutate({ id, name: id, ...settings })
    const created = await admin.clientSecrets.create.mutate({ agentId: id })
    return { clientId: id, clientSecret: created.clientSecret }
  }
  const { clientSecret: secret } = await register(AGENT_ID, { scopesSupported: [SCOPE] })
  const port = String(await findFreePort())
  const agentUrl = `http://127.0.0.1:${port}`
  stack.use(
    await startServerProcess({
      name: AGENT_ID,
      main: fileURLToPath(new URL('agent-main.ts', import.meta.url)),
      environment: { AGENT_ID, SECRET: secret, ISSUER: issuer, PORT: port },
      logFile: folder.file('agent.log'),
      readyUrl: `${agentUrl}/readyz`,
    }),
  )
  const resources = stack.move()
  return {
    issuer,
    agentUrl,
    admin,
    enroll: async (id, accessTokenTtlSeconds = 900) =>
      register(id, { scopes: [SCOPE], audiences: [AGENT_ID], accessTokenTtlSeconds }),
    async restartAuthServer() {
      await authServer[Symbol.asyncDispose]()
      authServer = await start()
    },
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}
