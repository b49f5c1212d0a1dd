import { createTRPCClient, TRPCClientError, type TRPCLink } from '@trpc/client'
import { observable } from '@trpc/server/observable'
import { expect, test } from 'vitest'
import type { TestRouter } from '../../../test/support/test-agent.ts'
import { readAuthorization } from './auth-link.ts'
import { Authorization, type Credentials } from './authorization.ts'
import { createCallLinks } from './call-links.ts'
import { ClientError } from './error/client-error.ts'
import { toClientError } from './error/to-client-error.ts'
import type { StepUpPolicy } from './step-up.ts'

/** What the agent wants of a call that is sent with these scopes; `undefined` answers it. */
type Wants = (sent: readonly string[], path: string) => readonly string[] | undefined

type HarnessOptions = {
  /** Whether the agent says that it had begun. Default: no. */
  readonly mayBeDone?: boolean
  readonly policy: StepUpPolicy
  readonly wants: Wants
  /** What the authorization server gives. Default: what it is asked for. */
  readonly give?: (scopes: readonly string[]) => readonly string[] | undefined
}

/** A client that begins with `read`, at an authorization server and an agent as the test says. */
function createHarness({ give = (scopes) => scopes, mayBeDone, policy, wants }: HarnessOptions) {
  const asked: string[] = []
  const sent: string[] = []
  const credentials: Credentials = ({ scopes }) => ({
    async authorize() {
      asked.push(scopes.join(' '))
      const given = give(scopes)
      if (given === undefined) {
        throw new ClientError({ code: 'token_refused', message: 'not these', status: 400 })
      }
      return new Authorization({ authorization: given.join(' ') })
    },
    renew: () => false,
  })
  const agent: TRPCLink<TestRouter> =
    () =>
    ({ op }) =>
      observable((observer) => {
        const scopes = readAuthorization(op).toHeaders()['authorization'] ?? ''
        sent.push(scopes)
        const requiredScopes = wants(scopes.split(' '), op.path)
        if (requiredScopes === undefined) {
          observer.next({ result: { type: 'data', data: 'answer' } })
          observer.complete()
          return
        }
        const facts = { requiredScopes, grantedScopes: scopes.split(' ') }
        const data = { httpStatus: 403, reason: 'scope_missing', mayBeDone, ...facts }
        const message = `Missing required scope: ${requiredScopes.join(' ')}`
        observer.error(TRPCClientError.from({ error: { code: -32_003, message, data } } as never))
      })
  const links = createCallLinks<TestRouter>({
    credentials,
    target: { audience: 'agent-billing-v2', scopes: ['read'] },
    stepUp: policy,
  })
  return { client: createTRPCClient<TestRouter>({ links: [...links, agent] }), asked, sent }
}

const needs =
  (...scopes: readonly string[]): Wants =>
  (sent) =>
    scopes.every((scope) => sent.includes(scope)) ? undefined : scopes

test('nothing is asked for that the policy does not allow: by default nothing at all', async () => {
  for (const policy of [false, [], ['other'], () => false] satisfies StepUpPolicy[]) {
    const { asked, client } = createHarness({ policy, wants: needs('write') })

    const error = await client.whoAmI.query().catch(toClientError)

    expect(error).toMatchObject({ code: 'scope_missing', requiredScopes: ['write'] })
    expect(asked).toEqual(['read'])
  }
})

test('a scope that is allowed is asked for beside the others, and the call sent again', async () => {
  const { client, sent } = createHarness({ policy: ['write'], wants: needs('write') })

  expect(await client.pay.mutate({ amountMinor: 1 })).toBe('answer')
  expect(sent).toEqual(['read', 'read write'])
})

test('a mutation that had begun is told, and not sent again unless it can be: the caller knows what is done', async () => {
  // Attack: an agent that does half of the work, asks for more, and does it again.
  const options = { policy: ['write'], wants: needs('write'), mayBeDone: true }
  const { asked, client, sent } = createHarness(options)

  const told = await client.pay.mutate({ amountMinor: 1 }).catch(toClientError)

  expect(told).toMatchObject({
    code: 'scope_missing',
    requiredScopes: ['write'],
    agentId: 'agent-billing-v2',
    mayBeDone: true,
  })
  expect([sent, asked]).toEqual([['read'], ['read']])

  const keyed = { amountMinor: 1, idempotencyKey: 'pay-1' }
  expect(await client.pay.mutate(keyed)).toBe('answer')
  expect(sent).toEqual(['read', 'read', 'read write'])
})

test('later calls begin with what was got', async () => {
  const { client, sent } = createHarness({ policy: ['write'], wants: needs('write') })
  await client.whoAmI.query()

  await client.whoAmI.query()

  expect(sent).toEqual(['read', 'read write', 'read write'])
})

test('calls at once ask for the same thing, and each is sent twice', async () => {
  const { asked, client, sent } = createHarness({ policy: ['write'], wants: needs('write') })

  const answers = await Promise.all(Array.from({ length: 5 }, async () => client.whoAmI.query()))

  expect(answers).toEqual(Array(5).fill('answer'))
  expect(sent).toHaveLength(10)
  expect(new Set(asked)).toEqual(new Set(['read', 'read write']))
})

test('an agent that wants another scope each time gets five, and no call goes round in circles', async () => {
  // Attack: an agent that collects tokens with every scope that its caller may have.
  let at = 0
  const { asked, client } = createHarness({
    policy: () => true,
    wants: () => [`scope-${String((at += 1))}`],
  })

  for (let call = 0; call < 20; call += 1) {
    expect(await client.whoAmI.query().catch(toClientError)).toMatchObject({
      code: 'scope_missing',
    })
  }

  const mostAsked = Math.max(...asked.map((scopes) => scopes.split(' ').length))
  expect(mostAsked).toBe(1 + 5)
})

test('what the authorization server does not give is told as the agent said it, and asked for once', async () => {
  // Else every later call would ask for it as well, and none would be answered any more.
  const { asked, client } = createHarness({
    policy: ['write'],
    wants: (sent, path) => (path === 'pay' ? needs('write')(sent, path) : undefined),
    give: (scopes) => (scopes.includes('write') ? undefined : scopes),
  })

  const first = await client.pay.mutate({ amountMinor: 1 }).catch(toClientError)
  const second = await client.pay.mutate({ amountMinor: 1 }).catch(toClientError)

  expect([first, second]).toEqual(
    Array(2).fill(expect.objectContaining({ code: 'scope_missing', requiredScopes: ['write'] })),
  )
  expect(await client.whoAmI.query()).toBe('answer')
  expect(asked).toEqual(['read', 'read write', 'read', 'read'])
})

test('a token with less than was asked for is not asked for again by the same call', async () => {
  const { client, sent } = createHarness({
    policy: ['write'],
    wants: needs('write'),
    give: () => ['read'],
  })

  await client.whoAmI.query().catch(toClientError)
  await client.whoAmI.query().catch(toClientError)

  expect(sent).toEqual(['read', 'read', 'read'])
})
