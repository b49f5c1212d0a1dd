// The sample agents as they are deployed, under tokens with limits that an issuer of the test signs.
import { createBillingAgent } from '@deputy/billing-agent'
import { hashInput } from '@deputy/auth/protocol'
import { createResearchAgent } from '@deputy/research-agent'
import { createLogger } from '@deputy/serve'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { bearer, callTrpc } from '../support/call-trpc.ts'
import { writeFiles } from '../support/documents.ts'
import { createSettableClock } from '../support/settable-clock.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import {
  createFakeIssuer,
  createSigningPair,
  goodClaims,
  signToken,
} from '../support/test-issuer.ts'

const BILLING = 'agent-billing-v2'
const RESEARCH = 'agent-research-v1'
const SCOPE = 'billing:read billing:write billing:deposit billing:release billing:audit'
const TASK = 'task-1'
const budget = { type: 'budget', currency: 'USD', amount: '0.50', identifier: TASK }

/** An issuer on a port of its own, and a folder for the agents that trust it. */
async function createPlace() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  await writeFiles(folder.file('documents'), { 'a.md': 'Apples are red fruit.' })
  const clock = createSettableClock()
  const pair = await createSigningPair('key-1')
  const documents = createFakeIssuer([pair.publicJwk])
  const serve = async (path: string, response: ServerResponse): Promise<void> => {
    const answer = await documents.fetch(`http://issuer.example${path}`)
    response.writeHead(answer.status, { 'content-type': 'application/json' })
    response.end(await answer.text())
  }
  const server = createServer((request, response) => void serve(request.url ?? '/', response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  documents.metadata = { issuer, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` }
  const common = (id: string) => ({
    credentials: { issuer, client_id: id, client_secret: 'cs-agent-test', scope: '' },
    port: 0,
    clock,
    logger: createLogger({ name: id, level: 'silent' }),
  })
  const resources = stack.move()
  return {
    startBilling: async () =>
      createBillingAgent({
        ...common(BILLING),
        database: { file: folder.file('billing.sqlite') },
        researchUrl: issuer,
      }),
    startResearch: async () =>
      createResearchAgent({
        ...common(RESEARCH),
        databaseFile: folder.file('research.sqlite'),
        documents: folder.file('documents'),
        billingUrl: issuer,
      }),
    /** A token of alice's below the task grant. */
    token: async (aud: string, jti: string, ...limits: object[]) =>
      signToken(pair, {
        ...goodClaims(clock.now()),
        iss: issuer,
        aud,
        jti,
        scope: aud === BILLING ? SCOPE : 'conversations:read',
        grant_path: ['credential-1', TASK, jti],
        authorization_details: limits,
      }),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

let keys = 0
const idempotencyKey = (): string => `key-${String((keys += 1)).padStart(8, '0')}`

type Target = { readonly url: string; readonly token: string }

async function post({ token, url }: Target, procedure: string, input: object) {
  const headers = bearer(token)
  const body = { idempotencyKey: idempotencyKey(), ...input }
  const answer = await callTrpc(url, procedure, { method: 'POST', input: body, headers })
  const isOk = answer.status === 200
  return {
    status: answer.status,
    reason: isOk ? undefined : answer.error().data['reason'],
    data: () => answer.data() as { quoteId: string; holdId: string },
  }
}

/** A quote over 20 minor units, and a hold on it. */
async function hold(target: Target) {
  const service = { service: 'research.brief', units: 2 }
  const quote = await post(target, 'billing.quote', service)
  return post(target, 'billing.hold', { quoteId: quote.data().quoteId, reference: 'job' })
}

const deposit = { account: 'agent-alice-v1', amount: { amountMinor: 1000, currency: 'USD' } }

describe('billing', () => {
  test('keeps a budget over all tokens below a grant, and gives back what the operator releases', async () => {
    await using place = await createPlace()
    await using billing = await place.startBilling()
    const operator = await place.token(BILLING, 'token-0')
    await post({ url: billing.url, token: operator }, 'billing.deposit', deposit)
    const tokens = [
      await place.token(BILLING, 'token-1', budget),
      await place.token(BILLING, 'token-2', budget),
      await place.token(BILLING, 'token-3', budget),
    ]

    const holds = []
    for (const token of tokens) holds.push(await hold({ url: billing.url, token }))
    const input = { identifier: TASK }
    const report = await callTrpc(billing.url, 'billing.budget', {
      input,
      headers: bearer(tokens[0] ?? ''),
    })
    await post({ url: billing.url, token: operator }, 'billing.releaseGrant', { grantId: TASK })
    const after = await hold({ url: billing.url, token: tokens[2] ?? '' })

    expect(holds.map(({ reason }) => reason)).toEqual([undefined, undefined, 'budget_exceeded'])
    expect(report.data()).toMatchObject({ capMinor: 50, heldMinor: 40, capturedMinor: 0 })
    expect(after.status).toBe(200)
  })

  test('lets nobody who has a budget make money', async () => {
    await using place = await createPlace()
    await using billing = await place.startBilling()

    const token = await place.token(BILLING, 'token-1', budget)

    expect(await post({ url: billing.url, token }, 'billing.deposit', deposit)).toMatchObject({
      status: 403,
      reason: 'limit_not_supported',
    })
  })

  test('carries out an approved call once, also after a restart', async () => {
    // Attack: making the agent forget, to use an approval again.
    await using place = await createPlace()
    const input = { ...deposit, idempotencyKey: idempotencyKey() }
    const token = await place.token(BILLING, 'token-1', {
      type: 'approved_call',
      procedure: 'billing.deposit',
      input_sha256: await hashInput(input),
      identifier: 'approval-1',
    })
    const run = async () => {
      await using billing = await place.startBilling()
      return await post({ url: billing.url, token }, 'billing.deposit', input)
    }

    const [first, again] = [await run(), await run()]

    expect([first.status, again.reason]).toEqual([200, 'approval_used'])
  })
})

test('research counts the calls below a grant, and remembers them over a restart', async () => {
  // Attack: making the agent forget, to begin the count anew.
  await using place = await createPlace()
  const token = await place.token(RESEARCH, 'token-1', { type: 'calls', max: 3, identifier: TASK })
  const run = async () => {
    await using research = await place.startResearch()
    const list = async () =>
      (await callTrpc(research.url, 'conversations.list', { headers: bearer(token) })).status
    return [await list(), await list()]
  }

  const [before, after] = [await run(), await run()]

  expect([before, after]).toEqual([
    [200, 200],
    [200, 403],
  ])
})
