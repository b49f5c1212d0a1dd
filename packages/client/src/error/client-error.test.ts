import { TRPCClientError } from '@trpc/client'
import { describe, expect, test } from 'vitest'
import { ClientError, isClientError } from './client-error.ts'
import { toClientError } from './to-client-error.ts'

/** An error as tRPC's client makes one from an agent's answer. */
const answered = (message: string, data: unknown) =>
  TRPCClientError.from({ error: { code: -32_000, message, data } } as never)

describe('toClientError', () => {
  test('keeps everything that an agent said', () => {
    const error = toClientError(
      answered('Missing required scope: billing:write', {
        code: 'FORBIDDEN',
        httpStatus: 403,
        reason: 'scope_missing',
        hint: 'Ask for it.',
        requiredScopes: ['billing:write'],
        grantedScopes: ['billing:read'],
        correlationId: 'call-1',
      }),
    )

    expect(error).toBeInstanceOf(ClientError)
    expect(error).toMatchObject({
      name: 'ClientError',
      code: 'scope_missing',
      message: 'Missing required scope: billing:write',
      hint: 'Ask for it.',
      status: 403,
      requiredScopes: ['billing:write'],
      grantedScopes: ['billing:read'],
      correlationId: 'call-1',
    })
  })

  test('keeps what somebody would have to approve, and nothing that only looks like it', () => {
    const approval = { procedure: 'billing.hold', inputSha256: 'A'.repeat(43) }
    const read = (sent: unknown) =>
      toClientError(answered('no', { reason: 'approval_required', approval: sent })).approval

    expect(read(approval)).toEqual(approval)
    expect([{}, null, 'x', { ...approval, inputSha256: 1 }].map(read)).toEqual(
      Array(4).fill(undefined),
    )
  })

  test('takes tRPC’s own code where a server gives no reason', () => {
    expect(toClientError(answered('no', { code: 'NOT_FOUND', httpStatus: 404 }))).toMatchObject({
      code: 'not_found',
      status: 404,
      hint: '',
    })
  })

  test.each([
    ['text', 'nonsense'],
    ['null', null],
    ['nothing', undefined],
    ['an empty object', {}],
    [
      'members of other types',
      { code: 7, reason: [], httpStatus: '401', hint: {}, requiredScopes: 'x', correlationId: 1 },
    ],
    ['lists of other things', { requiredScopes: [1, null, {}], grantedScopes: [[]] }],
  ])('makes a whole error of an answer whose data is %s', (_what, data) => {
    const error = toClientError(answered('odd', data))

    expect(error).toBeInstanceOf(ClientError)
    expect(error).toMatchObject({
      code: 'network_error',
      status: undefined,
      requiredScopes: [],
      grantedScopes: [],
      correlationId: undefined,
    })
  })

  test('hands back a ClientError, also one that tRPC’s client wrapped', () => {
    const error = new ClientError({ code: 'deadline_exceeded', message: 'too late' })

    expect(toClientError(error)).toBe(error)
    expect(toClientError(TRPCClientError.from(error))).toBe(error)
  })

  test.each([
    [new TypeError('fetch failed'), 'fetch failed'],
    ['text', 'the call failed'],
    [undefined, 'the call failed'],
  ])('calls anything else a network error: %j', (cause, message) => {
    expect(toClientError(cause)).toMatchObject({ code: 'network_error', message })
  })
})

describe('isClientError', () => {
  test('tells codes apart, and answers for what it types', () => {
    const pending = new ClientError({
      code: 'approval_pending',
      message: 'wait',
      approvalId: 'a-1',
      intervalSeconds: 5,
    })
    const odd = new ClientError({ code: 'approval_pending', message: 'wait' })

    expect(isClientError(pending, 'approval_pending') && pending.intervalSeconds).toBe(5)
    expect(isClientError(pending)).toBe(true)
    expect(isClientError(pending, 'scope_missing', 'network_error')).toBe(false)
    // It would be typed as one that has an id.
    expect(isClientError(odd, 'approval_pending')).toBe(false)
    expect(
      [new Error('x'), undefined, 'ClientError', { name: 'ClientError' }].map((error) =>
        isClientError(error),
      ),
    ).toEqual(Array(4).fill(false))
  })

  test('a ClientError is an error of tRPC, which hands it on as it is', () => {
    const error = new ClientError({ code: 'deadline_exceeded', message: 'too late' })

    expect(TRPCClientError.from(error)).toBe(error)
    expect(error).toBeInstanceOf(ClientError)
  })

  test('reads which approval is waited for', () => {
    const approval = { id: 'a-1', intervalSeconds: 5, expiresInSeconds: 890 }

    expect(toClientError(answered('wait', { reason: 'approval_pending', approval }))).toMatchObject(
      {
        code: 'approval_pending',
        approvalId: 'a-1',
        intervalSeconds: 5,
        expiresInSeconds: 890,
      },
    )
  })
})
