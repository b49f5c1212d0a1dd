import { createLogger } from '@deputy/serve'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { EventEmitter, on, once } from 'node:events'
import { expect, test } from 'vitest'
import { bearer, callTrpc } from '../../../test/support/call-trpc.ts'
import { writeFiles } from '../../../test/support/documents.ts'
import { findFreePort } from '../../../test/support/find-free-port.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { createResearchAgent, type ResearchAgentOptions } from './index.ts'

const SECRET = 'cs-agent-of-research'

/** An agent's options in a folder of its own. Nothing answers at its issuer, nor at billing. */
async function createPlace() {
  const folder = await createTemporaryFolder()
  await writeFiles(folder.file('documents'), { 'a.md': 'Apples are red fruit.' })
  const nowhere = `http://127.0.0.1:${String(await findFreePort())}`
  const log: string[] = []
  const logged = new EventEmitter()
  const options: ResearchAgentOptions = {
    credentials: {
      issuer: nowhere,
      client_id: 'agent-research-v1',
      client_secret: SECRET,
      scope: 'billing:write',
    },
    port: 0,
    databaseFile: folder.file('data', 'research.sqlite'),
    documents: folder.file('documents'),
    billingUrl: nowhere,
    logger: createLogger({
      name: 'research',
      level: 'trace',
      write: (line) => {
        log.push(line)
        logged.emit('line', line)
      },
    }),
  }
  return {
    options,
    log: () => log.join(''),
    /** Resolves with the first line after now that says this. */
    async whenLogged(message: string): Promise<unknown> {
      for await (const [line] of on(logged, 'line')) {
        if (String(line).includes(`"msg":"${message}"`)) return JSON.parse(String(line))
      }
      return undefined
    },
    documents: folder.file('documents'),
    /** SQLite keeps this file for as long as somebody has the database open. */
    isDatabaseOpen: () => existsSync(folder.file('data', 'research.sqlite-wal')),
    [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
  }
}

test('starts without its issuer or billing, and says who it is and which scopes it knows', async () => {
  await using place = await createPlace()
  await using agent = await createResearchAgent(place.options)

  const metadata = await fetch(`${agent.url}/.well-known/oauth-protected-resource`)

  expect(await metadata.json()).toMatchObject({
    resource: agent.url,
    resource_name: 'agent-research-v1',
    authorization_servers: [place.options.credentials.issuer],
    scopes_supported: ['conversations:read', 'research:read', 'research:write'],
  })
})

test('indexes on the first start and reads nothing again on the second', async () => {
  await using place = await createPlace()
  const start = async (): Promise<unknown> => {
    const indexed = place.whenLogged('documents are indexed')
    await using _agent = await createResearchAgent(place.options)
    return await indexed
  }

  const [first, second] = [await start(), await start()]

  expect(first).toMatchObject({ documents: 1, added: 1 })
  expect(second).toMatchObject({ documents: 1, added: 0 })
})

test('starts without documents, and is ready to say so', async () => {
  await using place = await createPlace()
  await rm(place.documents, { recursive: true })
  const warned = place.whenLogged('there are no documents to search')
  await using agent = await createResearchAgent(place.options)

  const warning = await warned
  const ready = await fetch(`${agent.url}/readyz`)

  expect(warning).toMatchObject({ reason: `${place.documents} cannot be read (ENOENT)` })
  expect(ready.status).toBe(200)
})

test('lets nobody in whom it cannot verify', async () => {
  await using place = await createPlace()
  await using agent = await createResearchAgent(place.options)
  const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'k' }))
  const token = `${header.toString('base64url')}.e30.AAAA`

  const anonymous = await callTrpc(agent.url, 'conversations.list')
  const unverified = await callTrpc(agent.url, 'conversations.list', { headers: bearer(token) })

  expect([anonymous.status, anonymous.error().data['reason']]).toEqual([401, 'credentials_missing'])
  expect([unverified.status, unverified.error().data['reason']]).toEqual([
    503,
    'verifier_unavailable',
  ])
  expect(place.log()).not.toContain(token)
  expect(place.log()).not.toContain(SECRET)
})

test('closes its database when it is closed, also twice and while it is indexing', async () => {
  await using place = await createPlace()
  const agent = await createResearchAgent(place.options)
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

  const started = createResearchAgent({ ...place.options, port })

  await expect(started).rejects.toMatchObject({ code: 'listen_failed' })
  expect(place.isDatabaseOpen()).toBe(false)
})
