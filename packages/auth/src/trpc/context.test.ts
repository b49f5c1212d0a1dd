import { describe, expect, test, vi } from 'vitest'
import { createAlice } from '../../../../test/support/alice.ts'
import type { Principal } from '../principal.ts'
import { accept, refuse } from '../protocol/index.ts'
import type { Authenticator } from '../verify/authenticator.ts'
import { createConnectionContext } from './connection-context.ts'
import { createAgentContext } from './context.ts'

const alice = createAlice({ scopes: [] })

function createHarness(transport: 'http' | 'websocket') {
  let isGone = false
  const recheck = vi.fn<() => Promise<ReturnType<typeof accept<Principal>>>>(async () =>
    isGone ? (refuse({ reason: 'token_expired', expiredAt: 1 }) as never) : accept(alice),
  )
  const seen: unknown[] = []
  const authenticate = vi.fn<Authenticator['authenticate']>(async (header) => {
    seen.push([header('authorization'), header('x-api-key')])
    return accept({ principal: alice, recheck, watch: () => () => undefined })
  })
  const createContext = (transport === 'http' ? createAgentContext : createConnectionContext)({
    authenticator: { authenticate },
  })
  return {
    createContext,
    authenticate,
    recheck,
    seen,
    endCredential: () => {
      isGone = true
    },
  }
}

const noHeaders = { req: { headers: {} } }

describe('over HTTP', () => {
  test('nobody is verified before a call asks', () => {
    const { authenticate, createContext } = createHarness('http')

    createContext(noHeaders)

    expect(authenticate).not.toHaveBeenCalled()
  })

  test('a request is verified once, however many calls ask at once or later', async () => {
    const { authenticate, createContext, recheck } = createHarness('http')
    const context = createContext(noHeaders)

    await Promise.all([context.authenticate(), context.authenticate()])
    const result = await context.authenticate()

    expect(result).toEqual({ ok: true, value: alice })
    expect(authenticate).toHaveBeenCalledTimes(1)
    expect(recheck).not.toHaveBeenCalled()
  })

  test('each request is verified by itself', async () => {
    const { authenticate, createContext } = createHarness('http')

    const [one, other] = [createContext(noHeaders), createContext(noHeaders)]
    await one.authenticate()
    await other.authenticate()

    expect(authenticate).toHaveBeenCalledTimes(2)
    expect(one.correlationId).not.toBe(other.correlationId)
  })

  test('headers sent twice are not read as one', async () => {
    // Attack: two credentials of which a proxy checked the first and the agent takes the second.
    const { createContext, seen } = createHarness('http')

    await createContext({
      req: { headers: { authorization: ['Bearer a', 'Bearer b'], 'x-api-key': 'k' } },
    }).authenticate()

    expect(seen).toEqual([['Bearer a, Bearer b', 'k']])
  })
})

describe('over WebSocket', () => {
  test('the connection is verified once, and its credential is checked for each call', async () => {
    const { authenticate, createContext, endCredential, recheck } = createHarness('websocket')
    const context = createContext(noHeaders)

    const before = [await context.authenticate(), await context.authenticate()]
    endCredential()
    const after = await context.authenticate()

    expect(before.map(({ ok }) => ok)).toEqual([true, true])
    expect(after).toMatchObject({ ok: false, refusal: { reason: 'token_expired' } })
    expect(authenticate).toHaveBeenCalledTimes(1)
    expect(recheck).toHaveBeenCalledTimes(3)
  })

  test('what the connection says of itself counts, and not its handshake', async () => {
    const { createContext, seen } = createHarness('websocket')
    const req = { headers: { authorization: 'Bearer handshake' } }

    await createContext({ req, info: { connectionParams: { 'x-api-key': 'k' } } }).authenticate()
    await createContext({ req, info: { connectionParams: null } }).authenticate()
    await createContext({ req }).authenticate()

    expect(seen).toEqual([
      [undefined, 'k'],
      ['Bearer handshake', undefined],
      ['Bearer handshake', undefined],
    ])
  })
})

describe('what fails by itself when a connection presents another token', () => {
  function openConnection() {
    const { authenticate } = createHarness('websocket')
    return {
      authenticate,
      context: createConnectionContext({ authenticator: { authenticate } })(noHeaders),
    }
  }

  test('is told to whoever presented it, and the token before it stays', async () => {
    // Attack: a store that is out of order, and a rejection that nobody waits for, which ends the process.
    const { authenticate, context } = openConnection()
    await context.authenticate()
    authenticate.mockRejectedValueOnce(new Error('the store is out of order'))

    const presented = context.present(() => undefined)

    await expect(presented).rejects.toThrow('the store is out of order')
    expect(await context.authenticate()).toEqual({ ok: true, value: alice })
  })

  test('ends no process, whatever the first token was', async () => {
    const { authenticate, context } = openConnection()
    authenticate.mockRejectedValueOnce(new Error('the store is out of order'))

    const presented = context.present(() => undefined)

    await expect(presented).rejects.toThrow('the store is out of order')
  })

  test('ends the call that it cannot be held to, and no other', async () => {
    const { context } = openConnection()
    await context.authenticate()
    const ended: unknown[] = []
    context.watch(
      (refusal) => ended.push(['first', refusal]),
      async () => Promise.reject(new Error('the counter is out of order')),
    )
    context.watch(
      (refusal) => ended.push(['second', refusal]),
      async () => accept(undefined),
    )

    const presented = await context.present(() => undefined)

    expect(presented.ok).toBe(true)
    expect(ended).toEqual([
      ['first', { reason: 'limit_unavailable', detail: 'the counter is out of order' }],
    ])
  })
})

describe('the trace of a request', () => {
  const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

  test("is the caller's", () => {
    const { createContext } = createHarness('http')

    const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`

    expect(createContext({ req: { headers: { traceparent } } }).traceId).toBe(TRACE)
  })

  test.each([undefined, 'nonsense', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`])(
    'begins here, with the id of the request, where the caller sends %s',
    (traceparent) => {
      const { createContext } = createHarness('http')

      const context = createContext({ req: { headers: { traceparent } } })

      expect(context.traceId).toBe(context.correlationId.replaceAll('-', ''))
    },
  )
})
