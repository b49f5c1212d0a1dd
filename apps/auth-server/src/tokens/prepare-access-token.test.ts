import { AccessTokenClaims } from '@deputy/auth/protocol'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { START_AT } from '../../test-support/clock.ts'
import { isSignedBy, openTestKeyRing } from '../../test-support/signing-keys.ts'
import { makeAgent } from '../../test-support/storage-adapters.ts'
import { openStorage } from '../storage/open-storage.ts'
import { createPrepareAccessToken, type AccessTokenRequest } from './prepare-access-token.ts'

const issuer = 'https://auth.example'

async function createIssuing() {
  const storage = await openStorage({ file: ':memory:' })
  const clock = createSettableClock()
  const keyRing = await openTestKeyRing({ store: storage.signingKeys, clock })
  const prepareAccessToken = createPrepareAccessToken({ issuer, keyRing, clock })
  const issue = async (more: Partial<AccessTokenRequest> = {}) => {
    const { claims, jwt, toResponse } = prepareAccessToken({
      agent: makeAgent(),
      audience: 'agent-bob',
      scopes: ['notes:read', 'notes:write'],
      ...more,
    })
    return { claims, response: toResponse(await jwt.signer.sign(jwt.input)) }
  }
  const dispose = async (): Promise<void> => storage.close()
  return { issue, keyRing, clock, [Symbol.asyncDispose]: dispose }
}

describe('an access token', () => {
  test('has the header and the claims of RFC 9068, and nothing else', async () => {
    await using issuing = await createIssuing()

    const { claims, response } = await issuing.issue()

    const { kid } = issuing.keyRing.signer()
    const token = response.access_token
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', kid, typ: 'at+jwt' })
    expect(decodeJwt(token)).toEqual({
      iss: issuer,
      sub: 'agent-alice',
      aud: 'agent-bob',
      client_id: 'agent-alice',
      owner_id: 'system',
      scope: 'notes:read notes:write',
      iat: START_AT,
      exp: START_AT + 900,
      jti: claims.jti,
      rate_limit_tier: 'standard',
    })
    expect(AccessTokenClaims.parse(claims)).toEqual(claims)
    expect(response).toEqual({
      access_token: token,
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'notes:read notes:write',
    })
    expect(await isSignedBy(token, issuing.keyRing.publicKeys())).toBe(true)
  })

  test('has an id of its own', async () => {
    await using issuing = await createIssuing()

    const issued = await Promise.all(Array.from({ length: 20 }, async () => issuing.issue()))

    expect(new Set(issued.map(({ claims }) => claims.jti)).size).toBe(20)
  })

  test('carries what it was delegated with', async () => {
    await using issuing = await createIssuing()
    const authorizationDetails = [{ type: 'budget', cap: 100 }]
    const act = { sub: 'agent-alice', act: { sub: 'agent-carol' } }

    const { claims, response } = await issuing.issue({
      subject: 'agent-dora',
      act,
      authorizationDetails,
      confirmation: { jkt: 'thumbprint' },
      grantPath: ['grant-root', 'grant-leaf'],
    })

    expect(decodeJwt(response.access_token)).toEqual(claims)
    expect(claims).toMatchObject({
      sub: 'agent-dora',
      client_id: 'agent-alice',
      owner_id: 'system',
      act,
      authorization_details: authorizationDetails,
      cnf: { jkt: 'thumbprint' },
      grant_path: ['grant-root', 'grant-leaf'],
    })
    // > authorization_details as granted (RFC 9396 §7), and the type of RFC 9449 §5.
    expect(response).toMatchObject({
      token_type: 'DPoP',
      authorization_details: authorizationDetails,
    })
  })

  test.each([
    { end: START_AT + 100, expires: START_AT + 100 },
    { end: START_AT + 900, expires: START_AT + 900 },
    { end: START_AT + 901, expires: START_AT + 900 },
  ])('ends at $expires when what it stands on ends at $end', async ({ end, expires }) => {
    await using issuing = await createIssuing()

    const { claims, response } = await issuing.issue({ expiresAt: end })

    expect(claims.exp).toBe(expires)
    expect(response.expires_in).toBe(expires - START_AT)
  })

  test('is not made when what it stands on has ended', async () => {
    await using issuing = await createIssuing()

    await expect(issuing.issue({ expiresAt: START_AT })).rejects.toThrow(RangeError)
  })

  test('is signed with the key that is active at that moment', async () => {
    await using issuing = await createIssuing()
    const before = await issuing.issue()
    issuing.clock.advance(120)
    await issuing.keyRing.rotate()

    const after = await issuing.issue()

    const kids = [before, after].map(
      ({ response }) => decodeProtectedHeader(response.access_token).kid,
    )
    expect(kids[1]).toBe(issuing.keyRing.signer().kid)
    expect(kids[0]).not.toBe(kids[1])
  })
})
