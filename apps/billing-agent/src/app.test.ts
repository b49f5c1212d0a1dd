import { createLogger, type ListenError } from '@deputy/serve'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { bearer, callTrpc } from '../../../test/support/call-trpc.ts'
import { findFreePort } from '../../../test/support/find-free-port.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { createBillingAgent, type BillingAgentOptions } from './index.ts'

const SECRET = 'cs-agent-of-billing'

/** An agent's options in a folder of its own. Nothing answers at its issuer. */
async function createPlace() {
  const folder = await createTemporaryFolder()
  const log: string[] = []
  const nowhere = `http://127.0.0.1:${String(await findFreePort())}`
  const options: BillingAgentOptions = {
    credentials: {
      issuer: nowhere,
      client_id: 'agent-billing-v2',
      client_secret: SECRET,
      scope: 'research:read',
    },
    port: 0,
    database: { file: folder.file('data', 'billing.sqlite') },
    researchUrl: nowhere,
    logger: createLogger({ name: 'billing', level: 'trace', write: (line) => void log.push(line) }),
  }
  return {
    options,
    log: () => log.join(''),
    /** SQLite keeps this file for as long as somebody has the database open. */
    isDatabaseOpen: () => existsSync(folder.file('data', 'billing.sqlite-wal')),
    [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
  }
}

test('starts without its issuer or research, and says who it is and which scopes it knows', async () => {
  await using place = await createPlace()
  await using agent = await createBillingAgent(place.options)

  const ready = await fetch(`${agent.url}/readyz`)
  const metadata = await fetch(`${agent.url}/.well-known/oauth-protected-resource`)

  expect(ready.status).toBe(200)
  expect(await metadata.json()).toMatchObject({
    resource: agent.url,
    resource_name: 'agent-billing-v2',
    authorization_servers: [place.options.credentials.issuer],
    scopes_supported: [
      'billing:audit',
      'billing:close',
      'billing:deposit',
      'billing:prices',
      'billing:quotas',
      'billing:read',
      'billing:refund',
      'billing:release',
      'billing:revert',
      'billing:usage',
      'billing:write',
    ],
  })
})

test('lets nobody in whom it cannot verify', async () => {
  await using place = await createPlace()
  await using agent = await createBillingAgent(place.options)
  const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'k' }))
  const token = `${header.toString('base64url')}.e30.AAAA`

  const anonymous = await callTrpc(agent.url, 'billing.balance')
  const unverified = await callTrpc(agent.url, 'billing.balance', { headers: bearer(token) })

  expect([anonymous.status, anonymous.error().data['reason']]).toEqual([401, 'credentials_missing'])
  expect([unverified.status, unverified.error().data['reason']]).toEqual([
    503,
    'verifier_unavailable',
  ])
  expect(place.log() + unverified.text).not.toContain(token)
  expect(place.log()).not.toContain(SECRET)
})

test('closes its database when it is closed, also twice', async () => {
  await using place = await createPlace()
  const agent = await createBillingAgent(place.options)
  const before = place.isDatabaseOpen()

  await Promise.all([agent.close(), agent.close()])
  await agent.close()

  expect([before, place.isDatabaseOpen()]).toEqual([true, false])
  await expect(fetch(`${agent.url}/livez`)).rejects.toThrow('fetch failed')
})

test('says that its port is taken, and leaves no database open', async () => {
  await using place = await createPlace()
  await using squatter = createServer()
  const port = await findFreePort()
  squatter.listen(port, '127.0.0.1')
  await once(squatter, 'listening')

  const started = createBillingAgent({ ...place.options, port })

  await expect(started).rejects.toMatchObject({
    code: 'listen_failed',
    message: `127.0.0.1:${String(port)} is already in use: stop what listens there, or choose another port`,
  } satisfies Partial<ListenError>)
  expect(place.isDatabaseOpen()).toBe(false)
})

test('refuses a research URL that is none, and leaves no database open', async () => {
  await using place = await createPlace()

  const started = createBillingAgent({ ...place.options, researchUrl: 'localhost:2886' })

  await expect(started).rejects.toThrow(TypeError)
  expect(place.isDatabaseOpen()).toBe(false)
})
