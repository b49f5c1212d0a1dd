// A minute of calls, while signing keys are rotated and the authorization server is restarted. Tokens live for
// so short a time that every caller renews its own again and again, in the worst moments too.
import { setTimeout as delay } from 'node:timers/promises'
import {
  clientSecret,
  createAgentClient,
  toClientError,
} from '../../../packages/client/src/index.ts'
import type { BenchRouter } from './agent-main.ts'
import { AGENT_ID, SCOPE, type ClientWorld } from './start-client-world.ts'

export type RotationOptions = {
  readonly world: ClientWorld
  readonly seconds: number
  readonly log: (line: string) => void
}

export type RotationResults = {
  readonly calls: number
  readonly failed: number
  readonly tokenRequests: number
}

/** Agents, each with tokens of its own, and the calls that each has under way. */
const AGENTS = 20
const CALLS_AT_ONCE = 4
const TOKEN_SECONDS = 20
/** Between two calls of one caller: what counts is that none fails, not how many there are. */
const PAUSE_MS = 10

/** Runs it. A call that fails is counted and logged. */
export async function rotateUnderLoad(options: RotationOptions): Promise<RotationResults> {
  const { log, seconds, world } = options
  let [calls, failed, tokenRequests] = [0, 0, 0]
  const counting: typeof fetch = async (input, init) => {
    if (init?.method === 'POST') tokenRequests += 1
    return fetch(input, init)
  }
  const clients = []
  for (let at = 0; at < AGENTS; at += 1) {
    const client = await world.enroll(`agent-rotating-${String(at)}`, TOKEN_SECONDS)
    const credentials = clientSecret({ issuer: world.issuer, ...client, fetch: counting })
    const target = { audience: AGENT_ID, scopes: [SCOPE] }
    clients.push(createAgentClient<BenchRouter>({ url: world.agentUrl, credentials, ...target }))
  }
  await waitUntilReady(options)
  const endAt = performance.now() + seconds * 1000
  const load = clients.flatMap((client) =>
    Array.from({ length: CALLS_AT_ONCE }, async () => {
      while (performance.now() < endAt) {
        await client.echo.query({ text: 'here' }).catch((error: unknown) => {
          failed += 1
          const { code, message } = toClientError(error)
          log(`failed: ${code}: ${message}`)
        })
        calls += 1
        await delay(PAUSE_MS)
      }
    }),
  )
  const restart = [
    'restarting the authorization server',
    async () => world.restartAuthServer(),
  ] as const
  const rotate = ['rotating keys', async () => world.admin.signingKeys.rotate.mutate()] as const
  const acts = [restart, rotate, restart]
  for (const [what, act] of acts) {
    await delay((seconds * 1000) / (acts.length + 1))
    log(what)
    await act()
  }
  await Promise.all(load)
  return { calls, failed, tokenRequests }
}

/**
 * Waits until the next key is public for so long that it may sign by the middle of the load: a rotation by schedule,
 * as it goes unless a key was stolen.
 */
async function waitUntilReady({ log, seconds, world }: RotationOptions): Promise<void> {
  const { signingKeys } = await world.admin.signingKeys.list.query()
  const readyAt = signingKeys.find(({ state }) => state === 'next')?.readyAt ?? 0
  const waitMs = readyAt * 1000 - Date.now() - (seconds * 1000) / 2 + 2000
  if (waitMs <= 0) return
  log(`waiting ${String(Math.ceil(waitMs / 1000))} seconds for the next key`)
  await delay(waitMs)
}
