// The memory of an authorization server that is sent nonsense for long does not grow. What it remembers of
// callers is bounded and keyed by them, so the same thousand requests, sent again and again, may leave nothing
// more behind than they left the first time.
import * as fc from 'fast-check'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { connectAdmin, enrollCast } from '../../apps/auth-server/test-support/admin-client.ts'
import { startAuthServer } from '../../apps/auth-server/test-support/auth-server.ts'
import { createRequests, send, type Sent } from './oauth-requests.ts'

const REQUESTS = 1000

/** Rounds before anything is measured: code is compiled, pools and caches fill. */
const WARM_UP_ROUNDS = 3

const ROUNDS = 12

/**
 * Measured: about 1 MiB, after 12 rounds and after 24, so that it is not of each request. Were something of
 * each kept, a few hundred bytes would be enough to be seen.
 */
const MAX_GROWTH_BYTES = 3 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collectGarbage: unknown = runInNewContext('gc')

/** Bytes on the heap that something still refers to. */
function readHeapBytes(): number {
  if (typeof collectGarbage !== 'function') throw new TypeError('there is no gc to call')
  for (let pass = 0; pass < 4; pass += 1) collectGarbage()
  return process.memoryUsage().heapUsed
}

async function sendAll(issuer: string, requests: readonly Sent[]): Promise<void> {
  for (const one of requests) await send(issuer, one)
}

test('nonsense leaves nothing behind in memory', { timeout: 120_000 }, async () => {
  await using stack = new AsyncDisposableStack()
  const rateLimitTiers = { standard: null }
  const server = stack.use(await startAuthServer({ isRegistrationOpen: true, rateLimitTiers }))
  const { alice } = await enrollCast(stack.use(connectAdmin(server)))
  const good = `Basic ${Buffer.from(`${alice.id}:${alice.secret}`).toString('base64')}`
  const requests = fc.sample(createRequests(good), { numRuns: REQUESTS, seed: 7 })
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) await sendAll(server.issuer, requests)

  const before = readHeapBytes()
  for (let round = 0; round < ROUNDS; round += 1) await sendAll(server.issuer, requests)
  const after = readHeapBytes()

  expect(after - before).toBeLessThan(MAX_GROWTH_BYTES)
})
