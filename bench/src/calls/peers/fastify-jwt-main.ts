// fastify with @fastify/jwt: ES256, its own cache of verified tokens, a schema for the input.
import jwt from '@fastify/jwt'
import { fastify } from 'fastify'
import { createPublicKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { AGENT_ID, ISSUER } from '../scenario.ts'
import { endWithParent, readPort, readSetting } from '../servers/settings.ts'

const Jwks = z.object({ keys: z.tuple([z.looseObject({ kty: z.string() })]) })
const { keys } = Jwks.parse(JSON.parse(await readFile(readSetting('BENCH_JWKS_FILE'), 'utf8')))
const key = createPublicKey({ key: keys[0], format: 'jwk' })
const server = fastify()
await server.register(jwt, {
  secret: { public: key.export({ type: 'spki', format: 'pem' }) },
  verify: { algorithms: ['ES256'], allowedAud: AGENT_ID, allowedIss: ISSUER, cache: true },
})
const text = { type: 'string' }
const shape = { type: 'object', required: ['text'], properties: { text } }
server.get<{ Querystring: { text: string } }>(
  '/echo',
  {
    schema: { querystring: shape, response: { 200: shape } },
    onRequest: async (request) => void (await request.jwtVerify()),
  },
  (request, reply) => reply.send({ text: request.query.text }),
)
await server.listen({ port: readPort(), host: '127.0.0.1' })
endWithParent()
