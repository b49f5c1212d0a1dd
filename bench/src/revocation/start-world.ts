// An authorization server, or two on one PostgreSQL, and three agents: each a process of its own.
import { fileURLToPath } from 'node:url'
import { TokenResponse } from '../../../packages/auth/src/protocol/index.ts'
import { openAdmin, startAuthServer, type Admin } from '../process/auth-server.ts'
import { findFreePort } from '../process/find-free-port.ts'
import type { RunFolder } from '../process/run-folder.ts'
import { startServerProcess } from '../process/server-process.ts'

const AGENT_IDS = ['agent-one', 'agent-two', 'agent-three'] as const
const CALLER_ID = 'agent-caller'
/** Takes on the caller's authority towards the agents. */
const HELPER_ID = 'agent-helper'
const SCOPE = 'bench:call'

export type Client = { readonly id: string; readonly secret: string }

export type BenchWorld = AsyncDisposable & {
  readonly issuer: string
  readonly agents: readonly { readonly id: string; readonly url: string }[]
  readonly caller: Client
  readonly helper: Client
  /** The admin API: of the instance that no agent follows, where there are two. */
  readonly admin: Admin
  /** Asks for a token. Rejects when it is refused. */
  token(client: Client, form: Readonly<Record<string, string>>): Promise<string>
}

export type WorldOptions = {
  readonly folder: RunFolder
  /** Two instances on this database; left out, one on SQLite. */
  readonly databaseUrl?: string | undefined
}

/** Starts everything, enrols everybody, and waits until all can be called. */
export async function startWorld({ databaseUrl, folder }: WorldOptions): Promise<BenchWorld> {
  await using stack = new AsyncDisposableStack()
  const name = databaseUrl === undefined ? 'one' : 'two'
  const issuer = `http://127.0.0.1:${String(await findFreePort())}`
  const origins = [issuer]
  if (databaseUrl !== undefined) origins.push(`http://127.0.0.1:${String(await findFreePort())}`)
  const operatorFile = folder.file(`${name}.operator.json`)
  const database: Readonly<Record<string, string>> =
    databaseUrl === undefined
      ? { DEPUTY_DATABASE_FILE: folder.file(`${name}.sqlite`) }
      : { DEPUTY_DATABASE_URL: databaseUrl }
  for (const [place, origin] of origins.entries()) {
    const logFile = folder.file(`${name}-${String(place)}.log`)
    stack.use(await startAuthServer({ issuer, origin, database, operatorFile, logFile }))
  }
  const admin = stack.use(await openAdmin(origins.at(-1) ?? issuer, { issuer, operatorFile }))
  const enroll = async (id: string, settings: object): Promise<Client> => {
    await admin.agents.create.mutate({ id, name: id, ...settings })
    const { clientSecret: secret } = await admin.clientSecrets.create.mutate({ agentId: id })
    return { id, secret }
  }
  const agents = []
  for (const id of AGENT_IDS) {
    const { secret } = await enroll(id, { scopesSupported: [SCOPE] })
    const port = String(await findFreePort())
    const url = `http://127.0.0.1:${port}`
    stack.use(
      await startServerProcess({
        name: id,
        main: fileURLToPath(new URL('agent-main.ts', import.meta.url)),
        environment: { AGENT_ID: id, SECRET: secret, ISSUER: issuer, PORT: port },
        logFile: folder.file(`${name}-${id}.log`),
        readyUrl: `${url}/readyz`,
      }),
    )
    agents.push({ id, url })
  }
  const helper = await enroll(HELPER_ID, {
    scopes: [SCOPE],
    scopesSupported: [SCOPE],
    audiences: [...AGENT_IDS],
    delegation: { to: [...AGENT_IDS], maxDepth: 1 },
  })
  const caller = await enroll(CALLER_ID, {
    scopes: [SCOPE],
    audiences: [...AGENT_IDS, HELPER_ID],
    delegation: { to: [HELPER_ID], maxDepth: 2 },
  })

  async function token(client: Client, form: Readonly<Record<string, string>>): Promise<string> {
    const response = await fetch(`${issuer}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        scope: SCOPE,
        client_id: client.id,
        client_secret: client.secret,
        ...form,
      }),
    })
    return TokenResponse.parse(await response.json()).access_token
  }

  const resources = stack.move()
  const dispose = async (): Promise<void> => resources.disposeAsync()
  return { issuer, agents, caller, helper, admin, token, [Symbol.asyncDispose]: dispose }
}
