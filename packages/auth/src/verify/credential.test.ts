import { describe, expect, test } from 'vitest'
import { createAgentSecret } from '../protocol/index.ts'
import { MAX_CREDENTIAL_CHARS, readCredential } from './credential.ts'

const read = (headers: Record<string, string>) => readCredential((name) => headers[name])

describe('readCredential', () => {
  test.each(['Bearer', 'bearer', 'BEARER'])('reads a token after "%s"', (scheme) => {
    expect(read({ authorization: `${scheme} a.b-c_d~e+f/g==` })).toEqual({
      ok: true,
      value: { kind: 'access_token', token: 'a.b-c_d~e+f/g==' },
    })
  })

  test.each(['DPoP', 'dpop'])('reads a bound token after "%s", with its proof', (scheme) => {
    const authorization = `${scheme} a.b.c`

    expect(read({ authorization, dpop: 'd.e.f' })).toEqual({
      ok: true,
      value: { kind: 'bound_access_token', token: 'a.b.c', proofs: ['d.e.f'] },
    })
    expect(read({ authorization })).toMatchObject({ value: { proofs: [] } })
  })

  test('reads an API key from either header', () => {
    const key = createAgentSecret('apiKey')

    expect(read({ 'x-api-key': key })).toEqual(read({ authorization: `Bearer ${key}` }))
    expect(read({ 'x-api-key': key })).toEqual({ ok: true, value: { kind: 'api_key', key } })
  })

  test.each([
    [{}, 'credentials_missing'],
    [{ authorization: 'Bearer a', 'x-api-key': 'b' }, 'credentials_ambiguous'],
    [{ authorization: '' }, 'credentials_malformed'],
    [{ authorization: 'Bearer' }, 'credentials_malformed'],
    [{ authorization: 'Bearer ' }, 'credentials_malformed'],
    [{ authorization: 'Bearer a b' }, 'credentials_malformed'],
    [{ authorization: 'DPoP' }, 'credentials_malformed'],
    [{ authorization: 'DPoP a, Bearer b' }, 'credentials_malformed'],
    [{ dpop: 'd.e.f' }, 'credentials_missing'],
    [{ authorization: 'Bearer a, Bearer b' }, 'credentials_malformed'],
    [{ authorization: 'Basic YTpi' }, 'credentials_malformed'],
    [{ authorization: 'a.b.c' }, 'credentials_malformed'],
    [{ authorization: `Bearer ${'a'.repeat(MAX_CREDENTIAL_CHARS)}` }, 'credentials_malformed'],
  ])('refuses %j with %s', (headers, reason) => {
    expect(read(headers)).toMatchObject({ ok: false, refusal: { reason } })
  })

  test('reads as many characters as the limit says', () => {
    const longest = { 'x-api-key': 'a'.repeat(MAX_CREDENTIAL_CHARS) }
    const longer = { 'x-api-key': 'a'.repeat(MAX_CREDENTIAL_CHARS + 1) }

    expect([read(longest).ok, read(longer).ok]).toEqual([true, false])
  })

  test('never repeats the credential in what it says', () => {
    const result = read({ authorization: 'Basic c2VjcmV0OnNlY3JldA==' })

    expect(JSON.stringify(result)).not.toContain('c2VjcmV0')
  })
})
