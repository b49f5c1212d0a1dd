// What the context tells the authenticator of a request, and what it does not hold against a caller.
import { expect, test } from 'vitest'
import { refuse } from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { Authenticator } from '../verify/authenticator.ts'
import type { AgentContextRequest } from './caller-verifier.ts'
import { createAgentContext } from './context.ts'

async function run(
  req: Partial<AgentContextRequest['req']>,
  options: { refusal?: CredentialRefusal; publicUrl?: string } = {},
) {
  const { publicUrl, refusal = { reason: 'api_key_invalid' } } = options
  const targets: unknown[] = []
  const failures: unknown[] = []
  const authenticate: Authenticator['authenticate'] = async (_header, target) => {
    targets.push(target)
    return refuse(refusal)
  }
  const createContext = createAgentContext({
    authenticator: { authenticate },
    publicUrl: publicUrl === undefined ? undefined : () => publicUrl,
    failureGuard: async (failure) => {
      failures.push(failure)
      return undefined
    },
  })
  await createContext({ req: { headers: {}, ...req } }).authenticate()
  return { target: targets[0], failures: failures.length }
}

test('a request is named by the public URL and its path', async () => {
  const req = { method: 'POST', url: '/trpc/pay?batch=1', headers: { host: 'evil.example' } }

  const { target } = await run(req, { publicUrl: 'https://billing.example' })

  expect(target).toEqual({ method: 'POST', url: 'https://billing.example/trpc/pay?batch=1' })
})

test.each([
  ['names a whole URL', { method: 'GET', url: 'https://evil.example/trpc/pay' }],
  ['names no path', { method: 'OPTIONS', url: '*' }],
  ['has none', { method: 'GET' }],
])('a request whose request line %s has no target', async (_what, req) => {
  // Attack: a request line of the caller's choice, to make a proof for another agent fit.
  expect((await run(req, { publicUrl: 'https://billing.example' })).target).toBeUndefined()
})

test('without a public URL no request has a target', async () => {
  expect((await run({ method: 'GET', url: '/trpc/pay' })).target).toBeUndefined()
})

test.each<[CredentialRefusal, number]>([
  [{ reason: 'credentials_missing' }, 0],
  [{ reason: 'verifier_unavailable', detail: 'x' }, 0],
  // Every caller begins without a nonce.
  [{ reason: 'dpop_nonce_required', nonce: 'nonce-1' }, 0],
  [{ reason: 'token_binding_missing' }, 1],
  [{ reason: 'dpop_proof_invalid', refusal: { reason: 'dpop_replayed' } }, 1],
])('$reason counts as a failure of the caller: %i', async (refusal, expected) => {
  expect((await run({}, { refusal })).failures).toBe(expected)
})
