// Everything that the real process writes during good and bad requests, at the finest level, searched
// for everything that must stay secret.
import { AccessTokenClaims, AGENT_SECRET_PATTERN, systemClock } from '@deputy/auth/protocol'
import { decodeJwt } from 'jose'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { connectAdmin, enrollCast } from '../test-support/admin-client.ts'
import { createPlace, readOperatorFile, type Client } from '../test-support/auth-server.ts'
import { startMain } from '../test-support/main-process.ts'
import { basic, getToken, introspect, postToken, send } from '../test-support/oauth-request.ts'
import { openKeySealer } from './keys/open-key-sealer.ts'
import { openStorage } from './storage/open-storage.ts'

/** Sends secrets wherever a careless or a hostile client might put them. */
async function misbehave(issuer: string, client: Client, token: string): Promise<void> {
  const { secret } = client
  const server = { issuer }
  const stranger = { id: client.id, secret: `${secret}x` }
  const inUrl = new URLSearchParams({ client_secret: secret, token, access_token: token })
  const url = `${issuer}/oauth/token`
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}x` }
  await postToken(server, stranger)
  await postToken(server, { id: secret, secret: client.id })
  await postToken(server, client, { grant_type: secret })
  await postToken(server, client, { audience: secret })
  await postToken(server, client, { client_secret: secret })
  await postToken(server, client, { resource: secret })
  for (const text of [secret, token]) {
    await postToken(server, client, { scope: text })
    await postToken(server, client, new URLSearchParams(`${text}=1&${text}=2`))
  }
  await introspect(server, stranger, token)
  await introspect(server, client, `${token}x`)
  await send(`${url}?${inUrl.toString()}`, { method: 'POST', headers: basic(client) })
  await send(`${url}?${inUrl.toString()}`)
  await send(url, { method: 'POST', headers, body: JSON.stringify({ secret }) })
  await send(url, { method: 'POST', headers: { authorization: `Basic ${secret}` } })
  await send(`${issuer}/trpc/agents.list?${inUrl.toString()}`, { headers })
  await send(`${issuer}/trpc/agents.create`, { method: 'POST', headers, body: `{"${secret}"` })
  await send(`${issuer}/trpc/agents.list`, { headers: { 'x-api-key': secret } })
  await send(`${issuer}/trpc/agents.list`, { headers: { 'x-api-key': token } })
  await send(`${issuer}/nowhere/${token}?${inUrl.toString()}`)
}

test('logs no secret, token, key or private half, whatever is sent', async () => {
  await using folder = await createTemporaryFolder()
  const place = await createPlace(folder.path)
  await using main = startMain(place, { DEPUTY_LOG_LEVEL: 'trace' })
  await main.whenReady()
  const { issuer } = main
  const file = await readOperatorFile(place.operatorFile)
  const operator = { id: file.client_id, secret: file.client_secret }
  await using admin = connectAdmin({ issuer, operator, clock: systemClock })
  const { alice, bob, mallory } = await enrollCast(admin)
  const key = await admin.apiKeys.create.mutate({ agentId: alice.id, scopes: ['notes:read'] })
  const token = await getToken(main, alice)
  const adminToken = await getToken(main, operator)

  await introspect(main, bob, token)
  await introspect(main, bob, key.apiKey)
  await misbehave(issuer, alice, token)
  await misbehave(issuer, { id: alice.id, secret: key.apiKey }, adminToken)
  await admin.apiKeys.deactivate.mutate({ apiKeyId: key.apiKeyId })
  main.kill('SIGTERM')
  await main.ended

  const log = main.output()
  const keyFile = `${place.databaseFile}.key`
  const secrets = {
    'client secrets': [operator, alice, bob, mallory].map(({ secret }) => secret),
    'API keys': [key.apiKey],
    tokens: [token, adminToken],
    'signatures of tokens': [token, adminToken].map((text) => text.slice(text.lastIndexOf('.'))),
    'private halves': await readPrivateHalves(place.databaseFile, keyFile),
    'sealing keys': [(await readFile(keyFile, 'utf8')).trim()],
    'Basic credentials': [operator, alice, bob, mallory].map((one) => basic(one).authorization),
  }
  for (const [kind, texts] of Object.entries(secrets)) {
    for (const text of texts) {
      const found = { kind, isLongEnough: text.length > 20, isInLog: log.includes(text) }
      expect(found).toEqual({ kind, isLongEnough: true, isInLog: false })
    }
  }
  expect(AGENT_SECRET_PATTERN.exec(log)).toBeNull()
  expect(log).not.toMatch(/eyJ[A-Za-z0-9_-]{20}/)
  // The log was there to be searched, and says who did what by names that are safe to log.
  expect(log).toContain('"msg":"refused"')
  expect(log).toContain(AccessTokenClaims.parse(decodeJwt(adminToken)).client_id)
})

/** As they lie in the database, and what is sealed there. */
async function readPrivateHalves(file: string, keyFile: string): Promise<string[]> {
  await using storage = await openStorage({ file })
  const sealer = await openKeySealer({ keyFile, store: storage.signingKeys })
  const sealed = (await storage.signingKeys.list())
    .filter((key) => key.state !== 'retired')
    .map(({ kid, sealedPrivateKey: text }) => ({ kid, text }))
  return sealed.flatMap(({ kid, text }) => {
    const { d }: { d: string } = JSON.parse(sealer.open(kid, text))
    return [d, text]
  })
}
