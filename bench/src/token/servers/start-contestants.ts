// Starts the servers, each in a process of its own.
import { fileURLToPath } from 'node:url'
import { findFreePort } from '../../process/find-free-port.ts'
import type { RunFolder } from '../../process/run-folder.ts'
import { startServerProcess } from '../../process/server-process.ts'
import type { Contestant } from '../contestant.ts'
import { REQUESTED_SCOPE, TARGET_ID, TARGET_URL } from '../scenario.ts'
import type { SeededStore } from '../seeded-store.ts'

/** How each server names the agent that the token is for. */
const BY_AUDIENCE = toForm({ audience: TARGET_ID })
const BY_RESOURCE = toForm({ resource: TARGET_URL })

function toForm(target: Readonly<Record<string, string>>): string {
  const form = { grant_type: 'client_credentials', scope: REQUESTED_SCOPE, ...target }
  return new URLSearchParams(form).toString()
}

export type DeputyOptions = {
  readonly name: string
  readonly folder: RunFolder
  readonly store: SeededStore
}

/** Starts the authorization server as it runs in production: audit on, the store on disk. */
export async function startDeputy({ folder, name, store }: DeputyOptions): Promise<Contestant> {
  const port = await findFreePort()
  const server = await startServerProcess({
    name,
    main: fileURLToPath(new URL('../../../../apps/auth-server/src/main.ts', import.meta.url)),
    environment: {
      PORT: String(port),
      DEPUTY_DATABASE_FILE: store.databaseFile,
      DEPUTY_OPERATOR_FILE: folder.file(`${name}.operator.json`),
    },
    logFile: folder.file(`${name}.log`),
    readyUrl: `http://127.0.0.1:${String(port)}/readyz`,
  })
  return {
    ...server,
    name,
    port,
    tokenPath: '/oauth/token',
    jwksPath: '/.well-known/jwks.json',
    form: BY_AUDIENCE,
    credentialsFile: store.credentialsFile,
  }
}

/** The servers that Deputy is measured by: the least that can be done, and its peers. */
const OTHERS = {
  'oidc-provider': {
    main: '../peers/oidc-provider-main.ts',
    tokenPath: '/token',
    form: BY_RESOURCE,
  },
  'node-oauth': {
    main: '../peers/node-oauth-main.ts',
    tokenPath: '/oauth/token',
    form: BY_AUDIENCE,
  },
  bare: { main: 'bare-main.ts', tokenPath: '/oauth/token', form: BY_AUDIENCE },
} as const

export type OtherName = keyof typeof OTHERS

export type OtherOptions = {
  readonly name: OtherName
  readonly folder: RunFolder
  readonly credentialsFile: string
}

/** Starts another server with the same clients. */
export async function startOther({
  credentialsFile,
  folder,
  name,
}: OtherOptions): Promise<Contestant> {
  const { form, main, tokenPath } = OTHERS[name]
  const port = await findFreePort()
  const jwksPath = '/jwks'
  const server = await startServerProcess({
    name,
    main: fileURLToPath(new URL(main, import.meta.url)),
    environment: { PORT: String(port), BENCH_CREDENTIALS_FILE: credentialsFile },
    logFile: folder.file(`${name}.log`),
    readyUrl: `http://127.0.0.1:${String(port)}${jwksPath}`,
  })
  return { ...server, name, port, tokenPath, jwksPath, form, credentialsFile }
}
