// What a server under test is told by its environment. Each has the same clients with the same secrets.
import { generateKeyPairSync, randomUUID, type JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'

export type ServerSettings = { readonly port: number; readonly clients: readonly Client[] }

export type Client = { readonly id: string; readonly secret: string }

/** Reads `PORT` and the credentials that `BENCH_CREDENTIALS_FILE` has. */
export function readServerSettings(environment: NodeJS.ProcessEnv): ServerSettings {
  const lines = readFileSync(environment['BENCH_CREDENTIALS_FILE'] ?? '', 'latin1')
    .trim()
    .split('\n')
  return { port: Number(environment['PORT']), clients: lines.map(toClient) }
}

/** Reads what stands in a Basic header, of which neither part has a character to be escaped. */
function toClient(line: string): Client {
  const text = Buffer.from(line, 'base64').toString('latin1')
  const colon = text.indexOf(':')
  return { id: text.slice(0, colon), secret: text.slice(colon + 1) }
}

/** Makes an ES256 key: the private one, and what the JWKS shows of it. */
export function createSigningKey() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const members = { kid: randomUUID(), alg: 'ES256', use: 'sig' }
  const privateJwk: JsonWebKey = { ...privateKey.export({ format: 'jwk' }), ...members }
  const publicJwk: JsonWebKey = { ...publicKey.export({ format: 'jwk' }), ...members }
  return { kid: members.kid, privateJwk, publicJwk }
}
