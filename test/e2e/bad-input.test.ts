// Whatever is wrong with a request, the answer says so with the right status, the process stays up and
// the ledger still balances.
import { OAuthErrorResponse } from '@deputy/auth/protocol'
import { toClientError } from '@deputy/client'
import type { Caller } from '@deputy/testing'
import { base64url, SignJWT, decodeJwt, generateKeyPair } from 'jose'
import { mkdir, writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expectRefusal, postJson } from '../support/call-http.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { ALICE, BOB, RESEARCH, startWorld, type World } from '../support/world.ts'

let world: World

beforeAll(async () => {
  world = await startWorld()
})
afterAll(async () => world[Symbol.asyncDispose]())

afterEach(async () => {
  const alice = callBilling(world.alice)
  const ledger = await alice.billing.trialBalance.query()
  expect(ledger.totalMinor).toBe(0)
  expect((await world.fetch(`${world.issuer}/livez`)).status).toBe(200)
  expect((await world.fetch(`${world.research.url}/livez`)).status).toBe(200)
})

/** Calls by plain HTTP and answers how that was refused. */
const refuse = async (url: string, init: RequestInit) => expectRefusal(url, init, world.fetch)
const callBilling = (caller: Caller) => caller.client(world.billing)
const getToken = async (caller: Caller, agent: 'billing' | 'research') =>
  (await caller.token(world[agent])).reveal()

describe('the token endpoint', () => {
  const basic = (id: string, secret: string): string => `Basic ${btoa(`${id}:${secret}`)}`
  const ask = async (body: string, headers: Record<string, string> = {}) => {
    const response = await world.fetch(`${world.issuer}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body,
    })
    const { error, error_description: description } = OAuthErrorResponse.parse(
      await response.json(),
    )
    return { status: response.status, error, description, headers: response.headers }
  }
  const asAlice = (): string => `client_id=${ALICE}&client_secret=${world.alice.secret.reveal()}`

  test('refuses an unknown client and a wrong secret with the same answer', async () => {
    const unknown = await ask('grant_type=client_credentials', {
      authorization: basic('agent-nobody-v1', 'x'),
    })
    const wrong = await ask('grant_type=client_credentials', { authorization: basic(ALICE, 'x') })

    expect(wrong).toMatchObject({ status: 401, error: 'invalid_client' })
    expect(wrong.headers.get('www-authenticate')).toMatch(/^Basic /)
    expect([unknown.status, unknown.error, unknown.description]).toEqual([
      wrong.status,
      wrong.error,
      wrong.description,
    ])
  })

  test.each([
    ['an unknown grant', 'grant_type=password', 'unsupported_grant_type'],
    ['a missing grant', '', 'invalid_request'],
    ['a malformed scope', 'grant_type=client_credentials&scope=a%22b', 'invalid_scope'],
    [
      'a scope that it may not have',
      'grant_type=client_credentials&scope=agents:write',
      'invalid_scope',
    ],
    ['an unknown audience', 'grant_type=client_credentials&audience=agent-x', 'invalid_target'],
    ['no audience where several fit', 'grant_type=client_credentials', 'invalid_target'],
    ['a repeated parameter', 'grant_type=client_credentials&scope=a&scope=b', 'invalid_request'],
  ])('refuses %s', async (_what, body, error) => {
    const answer = await ask(`${asAlice()}&${body}`)

    expect(answer).toMatchObject({ status: 400, error })
    expect(answer.description).toBeTruthy()
  })

  test.each([
    'Basic',
    'Basic !!!',
    `Basic ${btoa('no colon')}`,
    'Bearer abc',
    `Basic ${btoa('%zz:x')}`,
  ])('refuses the malformed header "%s"', async (authorization) => {
    const answer = await ask('grant_type=client_credentials', { authorization })

    expect(answer).toMatchObject({ status: 401, error: 'invalid_client' })
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /)
  })
})

describe('a token', () => {
  const balance = async (token: string) =>
    refuse(`${world.billing.url}/trpc/billing.balance`, {
      headers: { authorization: `Bearer ${token}` },
    })

  test('for another agent is refused as such', async () => {
    const answer = await balance(await getToken(world.alice, 'research'))

    expect(answer).toMatchObject({ status: 401, reason: 'token_audience_invalid' })
    expect(answer.challenge).toContain('error="invalid_token"')
  })

  test('without a signature (alg none) is refused', async () => {
    // Attack: take a good token, say that it needs no signature, and leave the signature out.
    const [, payload] = (await getToken(world.alice, 'billing')).split('.')
    const header = base64url.encode(JSON.stringify({ alg: 'none', typ: 'at+jwt' }))

    const answers = [
      await balance(`${header}.${payload ?? ''}.`),
      await balance(`${header}.${payload ?? ''}`),
    ]

    expect(answers.map(({ status }) => status)).toEqual([401, 401])
    expect(answers[0]?.challenge).toContain('error="invalid_token"')
  })

  test('signed by a foreign key is refused, whatever it says', async () => {
    const good = decodeJwt(await getToken(world.alice, 'billing'))
    const { privateKey } = await generateKeyPair('ES256')
    const forged = await new SignJWT({ ...good, scope: 'billing:deposit' })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .sign(privateKey)

    const answer = await balance(forged)

    expect(answer).toMatchObject({ status: 401, reason: 'token_signature_invalid' })
  })

  test('that was cut short is refused', async () => {
    const token = await getToken(world.alice, 'billing')

    const answers = [await balance(token.slice(0, -10)), await balance(token.slice(0, 40))]

    expect(answers.map(({ reason, status }) => [status, reason])).toEqual([
      [401, 'token_signature_invalid'],
      [401, 'token_malformed'],
    ])
  })

  test('that expired is told apart from an invalid one', async () => {
    const token = await getToken(world.bob, 'billing')
    await world.advance(900)

    const answer = await balance(token)

    expect(answer).toMatchObject({
      status: 401,
      reason: 'token_expired',
      message: 'The access token expired',
    })
    expect(answer.challenge).toContain('error_description="The access token expired"')
  })
})

describe('an API key', () => {
  const balance = `/trpc/billing.balance`

  test('is refused within moments after it was deactivated', async () => {
    const { apiKey, apiKeyId } = await world.admin.apiKeys.create.mutate({
      agentId: BOB,
      scopes: ['billing:read'],
    })
    const headers = { 'x-api-key': apiKey }
    const before = await world.fetch(world.billing.url + balance, { headers })

    await world.admin.apiKeys.deactivate.mutate({ apiKeyId })
    // What ends is on the feed, and the agent has it once the world is at rest.
    await world.settle()
    const after = await refuse(world.billing.url + balance, { headers })

    expect(before.status).toBe(200)
    expect(after).toMatchObject({ status: 401, reason: 'api_key_invalid' })
  })

  test('that is mistyped is named as such, and two credentials at once are refused', async () => {
    const { apiKey } = await world.admin.apiKeys.create.mutate({
      agentId: BOB,
      scopes: ['billing:read'],
    })
    const token = await getToken(world.bob, 'billing')

    const mistyped = await refuse(world.billing.url + balance, {
      headers: { 'x-api-key': apiKey.slice(0, -1) },
    })
    const both = await refuse(world.billing.url + balance, {
      headers: { 'x-api-key': apiKey, authorization: `Bearer ${token}` },
    })

    expect(mistyped).toMatchObject({ status: 401, reason: 'api_key_malformed' })
    expect(both).toMatchObject({ status: 400, reason: 'credentials_ambiguous' })
  })
})

describe('research', () => {
  test('refuses an empty question and names the field', async () => {
    const token = await getToken(world.alice, 'research')

    const answer = await refuse(
      `${world.research.url}/trpc/research.answer`,
      postJson(token, { question: '   ' }),
    )

    expect(answer).toMatchObject({
      status: 400,
      reason: 'input_invalid',
      message: 'Invalid input: input.question: must not be empty',
    })
    expect(answer.text).not.toContain('stack')
  })

  test('says so when nothing answers the question, and charges nothing', async () => {
    const alice = callBilling(world.alice)
    await alice.billing.deposit.mutate({
      account: RESEARCH,
      amount: { amountMinor: 500, currency: 'USD' },
      idempotencyKey: 'for-no-answer',
    })
    const own = callBilling(world.research)
    const token = await getToken(world.alice, 'research')

    const answer = await refuse(
      `${world.research.url}/trpc/research.answer`,
      postJson(token, { question: 'Which zebras migrate in winter?' }),
    )

    expect(answer).toMatchObject({ status: 404, reason: 'no_answer_found' })
    expect(await own.billing.balance.query()).toMatchObject({ heldMinor: 0 })
  })

  test.each(['empty', 'missing', 'unreadable'])(
    'stays up over documents that are %s and refuses to ask',
    async (kind) => {
      await using folder = await createTemporaryFolder()
      const path = folder.file(`documents-${kind}`)
      if (kind === 'empty') await mkdir(path)
      if (kind === 'unreadable') await writeFile(path, 'a file where a folder should be')
      await using other = await startWorld({ documents: path })
      const research = other.alice.client(other.research)

      const error = await research.research.answer
        .mutate({ question: 'What is a key?' })
        .catch(toClientError)
      const { conversations } = await research.conversations.list.query()

      expect(error).toMatchObject({ code: 'documents_unavailable', status: 503 })
      expect(conversations).toEqual([])
    },
  )
})

describe('billing', () => {
  test('refuses a capture above its hold, and the hold stays whole', async () => {
    const alice = callBilling(world.alice)
    const { billing } = alice
    await billing.deposit.mutate({
      account: ALICE,
      amount: { amountMinor: 500, currency: 'USD' },
      idempotencyKey: 'for-capture',
    })
    const quote = await billing.quote.mutate({
      service: 'research.brief',
      units: 2,
      idempotencyKey: 'quote-capture',
    })
    const hold = await billing.hold.mutate({
      quoteId: quote.quoteId,
      reference: 'job-1',
      idempotencyKey: 'hold-capture',
    })

    const error = await billing.capture
      .mutate({
        holdId: hold.holdId,
        amountMinor: hold.amount.amountMinor + 1,
        idempotencyKey: 'capture-above',
      })
      .catch(toClientError)

    expect(error).toMatchObject({ code: 'capture_exceeds_hold', status: 422 })
    expect(await billing.balance.query()).toMatchObject({ heldMinor: hold.amount.amountMinor })
  })

  test('refuses an idempotency key that comes again with another body', async () => {
    const alice = callBilling(world.alice)
    const input = {
      service: 'research.brief',
      units: 2,
      idempotencyKey: 'one-key-two-bodies',
    } as const
    const first = await alice.billing.quote.mutate(input)

    const again = await alice.billing.quote.mutate(input)
    const other = await alice.billing.quote.mutate({ ...input, units: 3 }).catch(toClientError)

    expect(again).toEqual(first)
    expect(other).toMatchObject({ code: 'idempotency_conflict', status: 409 })
  })
})
