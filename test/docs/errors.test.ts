import { OAUTH_ERROR_CODES } from '@deputy/auth/protocol'
import { ADMIN_REASONS } from '@deputy/auth-server'
import type { RefusalReason } from '@deputy/auth'
import type { ClientErrorCode } from '@deputy/client'
import { BILLING_REASONS } from '@deputy/contracts/billing'
import type { RequestRefusal } from '@deputy/serve'
import { RESEARCH_REASONS } from '@deputy/contracts/research'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')

// A new member of either union does not compile until it is named here.
const refusalReasons = Object.keys({
  credentials_missing: true,
  credentials_malformed: true,
  credentials_ambiguous: true,
  token_malformed: true,
  token_signature_invalid: true,
  token_type_invalid: true,
  token_issuer_invalid: true,
  token_audience_invalid: true,
  token_expired: true,
  token_not_yet_valid: true,
  token_revoked: true,
  token_binding_missing: true,
  token_binding_required: true,
  token_binding_not_accepted: true,
  dpop_proof_invalid: true,
  dpop_nonce_required: true,
  api_key_malformed: true,
  api_key_invalid: true,
  api_key_not_accepted: true,
  verifier_unavailable: true,
  scope_missing: true,
  scope_missing_further_on: true,
  limit_not_supported: true,
  limit_malformed: true,
  limit_value_not_allowed: true,
  calls_exhausted: true,
  approval_required: true,
  approval_mismatch: true,
  approval_used: true,
  approval_pending: true,
  approval_denied: true,
  limit_unavailable: true,
  rate_limited: true,
  too_many_calls: true,
  too_many_streams: true,
  agent_draining: true,
  deadline_exceeded: true,
  deadline_invalid: true,
  caller_changed: true,
} satisfies Record<RefusalReason, true>)

const requestRefusals = Object.keys({
  bad_request: true,
  headers_too_large: true,
  payload_too_large: true,
  request_timeout: true,
  too_many_connections: true,
  too_many_requests: true,
  url_too_long: true,
} satisfies Record<RequestRefusal, true>)

const clientCodes = Object.keys({
  network_error: true,
  deadline_exceeded: true,
  token_refused: true,
  token_unavailable: true,
  token_response_invalid: true,
  call_aborted: true,
  approval_pending: true,
  approval_denied: true,
  approval_expired: true,
  discovery_failed: true,
  issuer_not_trusted: true,
  host_not_allowed: true,
  authority_not_delegable: true,
  credentials_invalid: true,
  input_invalid: true,
  credentials_file_invalid: true,
  environment_invalid: true,
} satisfies Record<ClientErrorCode, true>)

// Of other grants: no endpoint answers them.
const UNUSED = new Set<string>(['unauthorized_client'])

const codesIn = (title: string): string[] => {
  const section = page.split(/^## /m).find((part) => part.startsWith(title)) ?? ''
  return [...section.matchAll(/^\| `([a-z_]+)` +\|/gm)].map((match) => match[1] ?? '')
}

test.each([
  ['Refusals by any agent', [...refusalReasons, 'input_invalid', 'internal_error']],
  ['Requests that are turned down unread', requestRefusals],
  ['Refusals by the billing agent', BILLING_REASONS],
  ['Refusals by the research agent', RESEARCH_REASONS],
  ['Refusals by the admin API', ADMIN_REASONS],
  ['OAuth endpoints (RFC 6749 §5.2)', OAUTH_ERROR_CODES.filter((code) => !UNUSED.has(code))],
  ['`ClientError`', clientCodes],
])('lists each code under "%s" and no other', (title, codes) => {
  expect(new Set(codesIn(title))).toEqual(new Set(codes))
})
