// The adapter against a research agent of its own: the contract's router over real HTTP.
import { CallRefusal } from '@deputy/auth/trpc'
import { clientSecret, createAgentClient, type Credentials } from '@deputy/client'
import {
  createResearchRouter,
  type ResearchRouter,
  type ResearchService,
} from '@deputy/contracts/research'
import { createLogger, serveAgent } from '@deputy/serve'
import { expect, test } from 'vitest'
import {
  createFakeTokenEndpoint,
  tokenAnswer,
} from '../../../../test/support/fake-token-endpoint.ts'
import { findFreePort } from '../../../../test/support/find-free-port.ts'
import { ISSUER } from '../../../../test/support/test-issuer.ts'
import { receiptFor } from '../../test-support/billing-world.ts'
import { createFakeAuthenticator } from '../../test-support/fake-authenticator.ts'
import { createResearchReceiptSource, RECEIPT_SCOPES } from './research-receipt-source.ts'

const RECEIPT = receiptFor({ holdId: 'hold-1', reference: 'job-1', capturedMinor: 15 })

async function startResearch(receipt: ResearchService['receipt'], scopes: string[] = []) {
  const notAsked = async () => Promise.reject(new Error('billing asks for receipts only'))
  return serveAgent({
    agentId: 'agent-research-v1',
    router: createResearchRouter({ ask: notAsked, listConversations: notAsked, receipt }),
    authenticator: createFakeAuthenticator({
      'token-1': { agentId: 'agent-billing-v2', scopes },
    }),
    issuer: ISSUER,
    port: 0,
    logger: createLogger({ name: 'research', level: 'silent' }),
  })
}

/** Billing's credentials at an authorization server that answers like this. */
function createCredentials(answer = () => tokenAnswer('token-1')) {
  const endpoint = createFakeTokenEndpoint(answer)
  const credentials = clientSecret({
    issuer: ISSUER,
    clientId: 'agent-billing-v2',
    clientSecret: 'cs-agent-of-billing',
    fetch: endpoint.fetch,
  })
  return { credentials, requests: endpoint.requests }
}

async function ask(url: string, credentials: Credentials) {
  await using client = createAgentClient<ResearchRouter>({
    url,
    credentials,
    audience: 'agent-research-v1',
    scopes: RECEIPT_SCOPES,
  })
  return createResearchReceiptSource(client)('job-1')
}

test('asks for the job’s receipt with a token for that and nothing else, and records the call', async () => {
  const asked: string[] = []
  await using research = await startResearch(async ({ principal }, { jobId }) => {
    asked.push(`${principal.agentId} ${jobId}`)
    return RECEIPT
  }, RECEIPT_SCOPES)
  const { credentials, requests } = createCredentials()

  const answer = await ask(research.url, credentials)

  expect(answer).toEqual({
    ok: true,
    receipt: RECEIPT,
    call: {
      from: 'agent-billing-v2',
      to: 'agent-research-v1',
      procedure: 'research.receipt',
      scopes: ['research:read'],
      outcome: 'ok',
      durationMs: expect.any(Number),
    },
  })
  expect(answer.call.durationMs).toBeGreaterThan(0)
  expect(asked).toEqual(['agent-billing-v2 job-1'])
  expect(requests.map(({ form }) => [form.get('audience'), form.get('scope')])).toEqual([
    ['agent-research-v1', 'research:read'],
  ])
})

test('passes on why research will not say', async () => {
  await using research = await startResearch(async () => {
    throw new CallRefusal({
      code: 'NOT_FOUND',
      reason: 'receipt_unknown',
      message: 'There is no receipt for job-1',
      hint: 'Look at the id.',
    })
  }, RECEIPT_SCOPES)

  const answer = await ask(research.url, createCredentials().credentials)

  expect(answer).toMatchObject({
    ok: false,
    reason: 'receipt_unknown',
    message: 'There is no receipt for job-1',
    call: { outcome: 'receipt_unknown' },
  })
})

test('says that billing lacks the scope', async () => {
  await using research = await startResearch(async () => RECEIPT, ['conversations:read'])

  const answer = await ask(research.url, createCredentials().credentials)

  expect(answer).toMatchObject({ ok: false, reason: 'scope_missing' })
})

test('says that research cannot be reached', async () => {
  const url = `http://127.0.0.1:${String(await findFreePort())}`

  const answer = await ask(url, createCredentials().credentials)

  expect(answer).toMatchObject({
    ok: false,
    reason: 'network_error',
    call: { outcome: 'network_error' },
  })
})

test('says that it got no token, without the secret', async () => {
  await using research = await startResearch(async () => RECEIPT, RECEIPT_SCOPES)
  const { credentials } = createCredentials(() =>
    Response.json({ error: 'invalid_client' }, { status: 401 }),
  )

  const answer = await ask(research.url, credentials)

  expect(answer).toMatchObject({ ok: false, reason: 'token_refused' })
  expect(JSON.stringify(answer)).not.toContain('cs-agent-of-billing')
})

test('does not take a bug of research for a receipt, nor its detail for a message', async () => {
  await using research = await startResearch(async () => {
    throw new Error('cannot open /var/lib/research')
  }, RECEIPT_SCOPES)

  const answer = await ask(research.url, createCredentials().credentials)

  expect(answer).toMatchObject({ ok: false, reason: 'internal_error' })
  expect(JSON.stringify(answer)).not.toContain('/var/lib')
})
