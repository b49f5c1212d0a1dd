// The adapter against a research agent of its own: the contract's router over real HTTP.
import { SubjectToken } from '@deputy/auth/protocol'
import { CallRefusal } from '@deputy/auth/trpc'
import {
  clientSecret,
  createActFor,
  createAgentClient,
  type ClientCredentials,
} from '@deputy/client'
import {
  createResearchRouter,
  research as contract,
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
import { callBy, receiptFor } from '../../test-support/billing-world.ts'
import { createFakeAuthenticator } from '../../test-support/fake-authenticator.ts'
import { createResearchReceiptSource, RECEIPT_SCOPE } from './research-receipt-source.ts'

const RECEIPT = receiptFor({ holdId: 'hold-1', reference: 'job-1', capturedMinor: 15 })

async function startResearch(receipt: ResearchService['receipt'], scopes: string[] = []) {
  const notAsked = (): never => {
    throw new Error('billing asks for receipts only')
  }
  return serveAgent({
    agentId: 'agent-research-v1',
    router: createResearchRouter({
      ask: notAsked,
      answer: notAsked,
      listJobs: notAsked,
      trace: notAsked,
      listConversations: notAsked,
      getConversation: notAsked,
      receipt,
    }),
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

/** Asks for the receipt of a job, for a caller that brought along what the test says. */
async function ask(
  url: string,
  credentials: ClientCredentials,
  brought: { readonly scopes: readonly string[]; readonly subjectToken?: SubjectToken } = {
    scopes: ['billing:close'],
    subjectToken: new SubjectToken('the-callers-token'),
  },
) {
  const source = createResearchReceiptSource({
    own: createAgentClient(contract, { url, credentials, scopes: [RECEIPT_SCOPE], retry: false }),
    actFor: createActFor({ actor: credentials, agents: { [contract.agentId]: url } }),
  })
  const { principal } = callBy('agent-alice-v1')
  const call = { ...brought, principal: { ...principal, scopes: brought.scopes } }
  const answer = await source('job-1', call)
  await source('job-1', call)
  return answer
}

test('acts for the caller that handed on what it takes, with one exchange for all receipts', async () => {
  await using research = await startResearch(async () => RECEIPT, [RECEIPT_SCOPE])

  const { credentials, requests } = createCredentials()

  const answer = await ask(research.url, credentials, {
    scopes: ['billing:close', RECEIPT_SCOPE],
    subjectToken: new SubjectToken('the-callers-token'),
  })

  expect(answer).toMatchObject({ ok: true, call: { subject: 'agent-alice-v1', outcome: 'ok' } })
  expect(requests.map(({ form }) => [form.get('subject_token'), form.get('scope')])).toEqual([
    ['the-callers-token', RECEIPT_SCOPE],
  ])
})

test('acts for itself where the caller came with an API key, which nobody can hand on', async () => {
  await using research = await startResearch(async () => RECEIPT, [RECEIPT_SCOPE])

  const { credentials, requests } = createCredentials()

  const answer = await ask(research.url, credentials, {
    scopes: ['billing:close', RECEIPT_SCOPE],
  })

  expect(answer).toMatchObject({ ok: true })
  expect(requests.map(({ form }) => form.get('subject_token'))).toEqual([null])
  expect(answer.call).not.toHaveProperty('subject')
})

test('asks for the job’s receipt with a token for that and nothing else, and records the call', async () => {
  const asked: string[] = []
  await using research = await startResearch(
    async ({ principal }, { jobId }) => {
      asked.push(`${principal.agentId} ${jobId}`)
      return RECEIPT
    },
    [RECEIPT_SCOPE],
  )
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
  expect(asked).toEqual(['agent-billing-v2 job-1', 'agent-billing-v2 job-1'])
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
  }, [RECEIPT_SCOPE])

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
  await using research = await startResearch(async () => RECEIPT, [RECEIPT_SCOPE])
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
  }, [RECEIPT_SCOPE])

  const answer = await ask(research.url, createCredentials().credentials)

  expect(answer).toMatchObject({ ok: false, reason: 'internal_error' })
  expect(JSON.stringify(answer)).not.toContain('/var/lib')
})
