import { describe, expect, test } from 'vitest'
import { formatChallenge } from './challenge.ts'
import { toPublicRefusal } from './public-refusal.ts'
import type { Refusal } from './refusal.ts'

const METADATA = 'https://billing.example/.well-known/oauth-protected-resource'
const detail = 'for the operator only'

const cases: [Refusal, number, string | undefined][] = [
  [{ reason: 'credentials_missing' }, 401, undefined],
  [{ reason: 'credentials_malformed', detail: 'the scheme must be Bearer' }, 401, undefined],
  [{ reason: 'credentials_ambiguous' }, 400, 'invalid_request'],
  [{ reason: 'token_malformed', detail }, 401, 'invalid_token'],
  [{ reason: 'token_signature_invalid', detail }, 401, 'invalid_token'],
  [{ reason: 'token_type_invalid', detail }, 401, 'invalid_token'],
  [{ reason: 'token_issuer_invalid', detail }, 401, 'invalid_token'],
  [{ reason: 'token_audience_invalid', expected: 'agent-billing-v2' }, 401, 'invalid_token'],
  [{ reason: 'token_expired', expiredAt: 1 }, 401, 'invalid_token'],
  [{ reason: 'token_not_yet_valid', detail }, 401, 'invalid_token'],
  [{ reason: 'token_binding_missing' }, 401, undefined],
  [{ reason: 'token_binding_required' }, 401, undefined],
  [{ reason: 'token_binding_not_accepted' }, 401, 'invalid_token'],
  [{ reason: 'dpop_proof_invalid', refusal: { reason: 'dpop_replayed' } }, 401, undefined],
  [{ reason: 'dpop_nonce_required', nonce: 'nonce-1' }, 401, undefined],
  [{ reason: 'api_key_malformed' }, 401, 'invalid_token'],
  [{ reason: 'api_key_invalid' }, 401, 'invalid_token'],
  [{ reason: 'api_key_not_accepted' }, 401, 'invalid_token'],
  [{ reason: 'verifier_unavailable', detail }, 503, undefined],
  [{ reason: 'limit_not_supported', limitType: 'colour' }, 403, undefined],
  [{ reason: 'limit_malformed', limitType: 'budget' }, 403, undefined],
  [{ reason: 'limit_value_not_allowed', field: 'a', allowedValues: [1] }, 403, undefined],
  [{ reason: 'calls_exhausted', identifier: 'task-1', max: 1 }, 403, undefined],
  [{ reason: 'approval_required', procedure: 'a.b', inputSha256: 'A' }, 403, undefined],
  [{ reason: 'approval_mismatch', procedure: 'a.b', inputSha256: 'A' }, 403, undefined],
  [{ reason: 'approval_used', identifier: 'approval-1' }, 403, undefined],
  [{ reason: 'approval_pending', approvalId: 'approval-1', intervalSeconds: 5 }, 403, undefined],
  [{ reason: 'approval_denied', approvalId: 'approval-1' }, 403, undefined],
  [{ reason: 'limit_unavailable', detail }, 503, undefined],
  [
    { reason: 'scope_missing_further_on', agentId: 'agent-bob', missingScopes: ['carol:pay'] },
    403,
    undefined,
  ],
  [
    {
      reason: 'scope_missing',
      requiredScopes: ['billing:read', 'billing:write'],
      grantedScopes: ['billing:read'],
      missingScopes: ['billing:write'],
    },
    403,
    'insufficient_scope',
  ],
]

describe.each(cases)('$reason', (refusal, status, bearerError) => {
  test(`is answered ${String(status)} and never with the operator's detail`, () => {
    const answer = toPublicRefusal(refusal)

    expect(answer).toMatchObject({ status, bearerError, reason: refusal.reason })
    expect(answer.message).not.toBe('')
    expect(answer.hint).not.toBe('')
    expect(JSON.stringify(answer)).not.toContain(detail)
  })
})

describe('the challenge', () => {
  test('for a request without credentials names no error (RFC 6750 §3.1)', () => {
    expect(formatChallenge({ reason: 'credentials_missing' }, METADATA)).toBe(
      `Bearer resource_metadata="${METADATA}"`,
    )
  })

  test('for an expired token says that it expired', () => {
    expect(formatChallenge({ reason: 'token_expired', expiredAt: 1 }, METADATA)).toBe(
      `Bearer error="invalid_token", error_description="The access token expired", resource_metadata="${METADATA}"`,
    )
  })

  test('for a missing scope names what the procedure needs', () => {
    const refusal: Refusal = {
      reason: 'scope_missing',
      requiredScopes: ['a:read', 'b:read'],
      grantedScopes: ['a:read'],
      missingScopes: ['b:read'],
    }

    expect(formatChallenge(refusal, METADATA)).toBe(
      `Bearer error="insufficient_scope", error_description="Missing required scope: b:read", scope="a:read b:read", resource_metadata="${METADATA}"`,
    )
  })

  test.each<[Refusal, string]>([
    [{ reason: 'token_binding_missing' }, 'invalid_token'],
    [{ reason: 'token_binding_required' }, 'invalid_token'],
    [{ reason: 'dpop_proof_invalid', refusal: { reason: 'dpop_key_mismatch' } }, 'invalid_token'],
    [{ reason: 'dpop_proof_invalid', refusal: { reason: 'dpop_replayed' } }, 'invalid_dpop_proof'],
    [{ reason: 'dpop_nonce_required', nonce: 'nonce-1' }, 'use_dpop_nonce'],
  ])('for $reason is one of DPoP (RFC 9449 §7.1)', (refusal, error) => {
    const challenge = formatChallenge(refusal, METADATA)

    expect(challenge).toMatch(
      new RegExp(
        `^DPoP error="${error}", error_description="[^"]+", algs="ES256 [^"]+", resource_metadata="`,
      ),
    )
  })

  test('for a limit names no error: the scope is not at fault, and the token is as good as before', () => {
    const refusal: Refusal = { reason: 'limit_not_supported', limitType: 'colour' }

    expect(formatChallenge(refusal, METADATA)).toBe(`Bearer resource_metadata="${METADATA}"`)
  })

  test('is left out where the credential could not be judged', () => {
    expect(formatChallenge({ reason: 'verifier_unavailable', detail }, METADATA)).toBeUndefined()
  })

  test('cannot be broken out of with quotes, backslashes or line breaks', () => {
    // Attack: header injection by what is quoted into the challenge.
    const challenge = formatChallenge(
      { reason: 'token_audience_invalid', expected: 'x' },
      'https://x.example/"\r\nset-cookie: a=b\\',
    )

    expect(challenge).not.toMatch(/[\r\n\\]/)
    expect(challenge?.match(/"/g)).toHaveLength(6)
  })
})
