import { expect, test } from 'vitest'
import { AccessTokenClaims, SIGNATURE_ALGORITHMS } from './access-token-claims.ts'

const good = {
  iss: 'https://issuer.example',
  sub: 'agent-alice-v1',
  aud: 'agent-billing-v2',
  client_id: 'agent-alice-v1',
  jti: 'token-1',
  iat: 1,
  exp: 2,
}

test('takes the claims of RFC 9068 §2.2 and leaves the others out', () => {
  const claims = AccessTokenClaims.parse({ ...good, scope: 'a:b', admin: true })

  expect(claims).toEqual({ ...good, scope: 'a:b' })
})

test('takes a list of audiences', () => {
  expect(AccessTokenClaims.parse({ ...good, aud: ['a', 'b'] }).aud).toEqual(['a', 'b'])
})

test.each(['iss', 'sub', 'aud', 'client_id', 'jti', 'exp', 'iat'])(
  'refuses claims without %s',
  (name) => {
    const { [name as keyof typeof good]: _left, ...rest } = good

    const claims = AccessTokenClaims.safeParse(rest)

    expect(claims.error?.issues.map((issue) => issue.path.join('.'))).toEqual([name])
  },
)

test.each([
  ['an empty subject', { sub: '' }],
  ['an empty list of audiences', { aud: [] }],
  ['an audience that is not text', { aud: [1] }],
  ['a time that is text', { exp: '2' }],
  ['scope as a list', { scope: ['a:b'] }],
  ['act as text', { act: 'agent-bob-v1' }],
  ['an actor without a name', { act: { act: { sub: 'a' } } }],
  ['a nested actor without a name', { act: { sub: 'a', act: {} } }],
])('refuses %s', (_what, change) => {
  expect(AccessTokenClaims.safeParse({ ...good, ...change }).success).toBe(false)
})

test('accepts asymmetric signatures only', () => {
  // Attack prevented: `none`, and HMAC keyed with the public key.
  expect(SIGNATURE_ALGORITHMS.filter((name) => /none|^HS/i.test(name))).toEqual([])
})
