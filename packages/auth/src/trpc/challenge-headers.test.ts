import { TRPCError } from '@trpc/server'
import { expect, test } from 'vitest'
import type { Refusal } from '../refusal.ts'
import { AuthError, CallRefusal, createChallengeHeaders } from './index.ts'

const URL = 'https://billing.example/.well-known/oauth-protected-resource'
const missing = (...scopes: string[]): Refusal => ({
  reason: 'scope_missing',
  requiredScopes: scopes,
  grantedScopes: [],
  missingScopes: scopes,
})
const expired: Refusal = { reason: 'token_expired', expiredAt: 1 }
const unavailable: Refusal = { reason: 'verifier_unavailable', detail: 'x' }
const headers = (...refusals: Refusal[]) =>
  createChallengeHeaders(
    refusals.map((refusal) => new AuthError(refusal)),
    URL,
  )

test('without errors, or with errors of other kinds, there is no challenge', () => {
  const bug = new TRPCError({ code: 'UNAUTHORIZED', message: 'not ours' })
  const domain = new CallRefusal({ code: 'FORBIDDEN', reason: 'x', message: 'x', hint: 'x' })

  expect(createChallengeHeaders([], URL)).toEqual({})
  expect(createChallengeHeaders([bug, domain], URL)).toEqual({})
})

test('a nonce that the next proof needs goes with the challenge (RFC 9449 §9)', () => {
  expect(headers({ reason: 'dpop_nonce_required', nonce: 'nonce-1' })).toEqual({
    'www-authenticate': expect.stringMatching(/^DPoP error="use_dpop_nonce"/),
    'dpop-nonce': 'nonce-1',
  })
})

test('a credential that is not good comes before a scope that is missing', () => {
  // Whoever needs a new token anyway is told so first: a 401 is never dressed up as a 403.
  expect(headers(missing('a:b'), expired)['www-authenticate']).toMatch(
    /^Bearer error="invalid_token"/,
  )
})

test('a batch that lacks several scopes names each of them once', () => {
  expect(headers(missing('a:b', 'c:d'), missing('c:d', 'e:f'))['www-authenticate']).toBe(
    `Bearer error="insufficient_scope", error_description="Missing required scope: a:b c:d e:f", scope="a:b c:d e:f", resource_metadata="${URL}"`,
  )
})

test('a credential that could not be judged asks for patience and challenges nobody', () => {
  expect(headers(missing('a:b'), unavailable)).toEqual({ 'retry-after': '1' })
})

test('a batch with a limit in the way asks first for the credential or the scope that would help', () => {
  const limited: Refusal = { reason: 'calls_exhausted', identifier: 'task-1', max: 1 }

  expect(headers(limited, expired)['www-authenticate']).toMatch(/error="invalid_token"/)
  expect(headers(limited, missing('a:b'))['www-authenticate']).toMatch(/error="insufficient_scope"/)
  expect(headers(limited)['www-authenticate']).toBe(`Bearer resource_metadata="${URL}"`)
})

test('a scope that an agent lacks further on is no fault of this token: the challenge names neither error nor scope', () => {
  const further: Refusal = {
    reason: 'scope_missing_further_on',
    agentId: 'agent-bob',
    calledAgentId: 'agent-carol',
    missingScopes: ['carol:pay'],
  }

  expect(headers(further)['www-authenticate']).toBe(`Bearer resource_metadata="${URL}"`)
})

test('limits that could not be counted ask for patience', () => {
  expect(headers({ reason: 'limit_unavailable', detail: 'x' })).toEqual({ 'retry-after': '1' })
})
