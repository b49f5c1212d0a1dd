import { expect, test } from 'vitest'
import { toPublicDpopRefusal, type DpopRefusal } from './dpop-proof-refusal.ts'

const detail = 'for the operator only'

test.each<[DpopRefusal, string]>([
  [{ reason: 'dpop_proof_missing' }, 'invalid_dpop_proof'],
  [{ reason: 'dpop_proof_repeated' }, 'invalid_dpop_proof'],
  [{ reason: 'dpop_proof_malformed', detail: 'its form' }, 'invalid_dpop_proof'],
  [{ reason: 'dpop_type_invalid' }, 'invalid_dpop_proof'],
  [{ reason: 'dpop_algorithm_not_allowed', algorithms: ['ES256'] }, 'invalid_dpop_proof'],
  [{ reason: 'dpop_key_invalid', detail: 'its form' }, 'invalid_dpop_proof'],
  [{ reason: 'dpop_signature_invalid' }, 'invalid_dpop_proof'],
  [{ reason: 'dpop_method_mismatch', expected: 'POST' }, 'invalid_dpop_proof'],
  [{ reason: 'dpop_url_mismatch', expected: 'https://a.example/' }, 'invalid_dpop_proof'],
  [{ reason: 'dpop_too_old' }, 'invalid_dpop_proof'],
  [{ reason: 'dpop_from_the_future' }, 'invalid_dpop_proof'],
  [{ reason: 'dpop_token_hash_mismatch' }, 'invalid_dpop_proof'],
  [{ reason: 'dpop_replayed' }, 'invalid_dpop_proof'],
  [{ reason: 'dpop_nonce_missing' }, 'use_dpop_nonce'],
  [{ reason: 'dpop_nonce_invalid' }, 'use_dpop_nonce'],
  [{ reason: 'dpop_key_mismatch' }, 'invalid_token'],
  [{ reason: 'dpop_token_not_bound' }, 'invalid_token'],
  [{ reason: 'replay_memory_unavailable', detail }, 'temporarily_unavailable'],
])('$reason is told as %s', (refusal, error) => {
  const told = toPublicDpopRefusal(refusal)

  expect(told.error).toBe(error)
  expect(told.message).not.toBe('')
  expect(told.message).not.toContain(detail)
})
