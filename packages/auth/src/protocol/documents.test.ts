// The small documents that both sides read: each is taken when it is whole, and refused by the name
// of the member at fault when it is not.
import { describe, expect, test } from 'vitest'
import type * as z from 'zod'
import { CredentialsFile } from './credentials-file.ts'
import { IntrospectionResponse } from './introspection.ts'
import { OAuthErrorResponse } from './oauth-error.ts'
import { TokenResponse } from './token-response.ts'

const faults = (schema: z.ZodType, value: unknown): readonly string[] =>
  schema.safeParse(value).error?.issues.map((issue) => issue.path.join('.')) ?? []

describe('CredentialsFile', () => {
  const good = {
    issuer: 'https://issuer.example',
    client_id: 'agent-alice-v1',
    client_secret: 'cs-agent-x',
    scope: 'billing:read',
  }

  test('takes a file with or without a token endpoint', () => {
    expect(CredentialsFile.parse(good)).toEqual(good)
    const pinned = { ...good, token_endpoint: 'https://issuer.example/token' }
    expect(CredentialsFile.parse(pinned)).toEqual(pinned)
  })

  test.each([
    ['issuer', 'not a URL'],
    ['client_id', ''],
    ['client_secret', ''],
    ['client_secret', undefined],
    ['scope', undefined],
    ['token_endpoint', 'not a URL'],
  ])('names %s when it is %j', (name, value) => {
    expect(faults(CredentialsFile, { ...good, [name]: value })).toEqual([name])
  })
})

describe('TokenResponse', () => {
  const good = { access_token: 'x', token_type: 'Bearer', expires_in: 900, scope: 'a:b' }

  test('takes the answer of RFC 6749 §5.1', () => {
    expect(TokenResponse.parse(good)).toEqual(good)
  })

  test.each([
    ['access_token', ''],
    ['token_type', 'mac'],
    ['expires_in', 0],
    ['expires_in', -1],
    ['expires_in', 1.5],
    ['expires_in', '900'],
    ['scope', undefined],
  ])('refuses %s %j', (name, value) => {
    expect(faults(TokenResponse, { ...good, [name]: value })).toEqual([name])
  })
})

describe('IntrospectionResponse', () => {
  const active = {
    active: true,
    token_type: 'api_key',
    iss: 'https://issuer.example',
    sub: 'agent-alice-v1',
    aud: 'agent-billing-v2',
    client_id: 'agent-alice-v1',
    jti: 'key-1',
    scope: '',
    iat: 1,
  }

  test('says nothing of a token that is not active (RFC 7662 §2.2)', () => {
    // Attack prevented: whatever an answer carries beside `active: false` is not looked at.
    expect(IntrospectionResponse.parse({ ...active, active: false })).toEqual({ active: false })
  })

  test('takes a key without an end and one with', () => {
    expect(IntrospectionResponse.parse(active)).toEqual(active)
    expect(IntrospectionResponse.parse({ ...active, exp: 2 })).toEqual({ ...active, exp: 2 })
  })

  test.each(['token_type', 'iss', 'sub', 'aud', 'client_id', 'jti', 'scope', 'iat'])(
    'refuses an active answer without %s',
    (name) => {
      expect(faults(IntrospectionResponse, { ...active, [name]: undefined })).toEqual([name])
    },
  )

  test.each([[{}], [{ active: 'true' }], [{ active: 1 }], [[]], [null]])(
    'does not take %j for active',
    (answer) => {
      expect(IntrospectionResponse.safeParse(answer).success).toBe(false)
    },
  )
})

describe('OAuthErrorResponse', () => {
  test('takes an error with and without a description', () => {
    expect(OAuthErrorResponse.parse({ error: 'invalid_client' })).toEqual({
      error: 'invalid_client',
    })
    expect(faults(OAuthErrorResponse, { error: '' })).toEqual(['error'])
  })
})
