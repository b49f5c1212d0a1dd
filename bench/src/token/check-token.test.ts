import { describe, expect, test } from 'vitest'
import { checkToken } from './check-token.ts'
import { createJwtSigner } from './servers/jwt-signer.ts'

const signer = createJwtSigner()
const { jwks } = signer
const good = {
  sub: 'agent-alice',
  client_id: 'agent-alice',
  aud: 'agent-notes',
  scope: 'notes:read',
  iat: 1_700_000_000,
  exp: 1_700_000_900,
  jti: 'one',
}

const toBody = (token: string): string =>
  JSON.stringify({ access_token: token, token_type: 'Bearer' })

async function answer(claims: object): Promise<string> {
  return toBody(await signer.sign(claims))
}

describe('checkToken', () => {
  test('takes the token that was asked for', async () => {
    const body = await answer(good)

    expect(() => checkToken({ body, jwks, clientId: 'agent-alice' })).not.toThrow()
    expect(() => checkToken({ body, jwks })).not.toThrow()
  })

  test.each([
    ['another audience', { aud: 'agent-mallory' }],
    ['another scope', { scope: 'notes:read notes:write' }],
    ['a shorter life', { exp: 1_700_000_001 }],
    ['another subject', { sub: 'agent-mallory' }],
    ['no id', { jti: undefined }],
  ])('refuses one with %s', async (_, change) => {
    const body = await answer({ ...good, ...change })

    expect(() => checkToken({ body, jwks })).toThrow(TypeError)
  })

  test('refuses one of another client', async () => {
    const body = await answer(good)

    expect(() => checkToken({ body, jwks, clientId: 'agent-bob' })).toThrow('agent-bob')
  })

  test('refuses one that was changed after it was signed', async () => {
    const [head = '', , signature = ''] = (await signer.sign(good)).split('.')
    const forged = Buffer.from(JSON.stringify({ ...good, jti: 'two' })).toString('base64url')
    const body = toBody([head, forged, signature].join('.'))

    expect(() => checkToken({ body, jwks })).toThrow('the signature is wrong')
  })

  test('refuses one by a key that is not published', async () => {
    const body = await answer(good)

    expect(() => checkToken({ body, jwks: createJwtSigner().jwks })).toThrow('not published')
  })

  test.each([
    ['an error', '{"error":"invalid_client"}'],
    ['no object', '"token"'],
  ])('refuses %s in place of a token', (_, body) => {
    expect(() => checkToken({ body, jwks })).toThrow(TypeError)
  })
})
