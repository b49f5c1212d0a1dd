import { TRPCError, type TRPC_ERROR_CODE_KEY } from '@trpc/server'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { AuthError, CallRefusal, toPublicError } from './index.ts'

const NOTHING = { requiredScopes: [], grantedScopes: [], issues: [] }

describe('toPublicError', () => {
  test('keeps the operator’s detail of a refusal to the operator', () => {
    const error = new AuthError({ reason: 'token_malformed', detail: 'hunter2' })

    expect(toPublicError(error).data.reason).toBe('token_malformed')
    expect(JSON.stringify(toPublicError(error))).not.toContain('hunter2')
  })

  test('keeps everything about a bug to the operator', () => {
    const error = new TRPCError({
      code: 'INTERNAL_SERVER_ERROR',
      message: 'hunter2',
      cause: new z.ZodError([{ code: 'custom', path: ['hunter2'], message: 'hunter2' }]),
    })

    expect(toPublicError(error)).toMatchObject({
      message: 'The agent failed to answer this call',
      data: { ...NOTHING, reason: 'internal_error' },
    })
    expect(JSON.stringify(toPublicError(error))).not.toContain('hunter2')
  })

  test('tells a handler’s refusal in its own words, even one with the code of a bug', () => {
    const error = new CallRefusal({
      code: 'INTERNAL_SERVER_ERROR',
      reason: 'ledger_locked',
      message: 'The ledger is locked',
      hint: 'Wait.',
    })

    expect(toPublicError(error)).toEqual({
      message: 'The ledger is locked',
      data: { ...NOTHING, reason: 'ledger_locked', hint: 'Wait.' },
    })
  })

  test('names the fields of input, list places included, and never the values', () => {
    const schema = z.object({ lines: z.array(z.object({ amountMinor: z.number() })) })
    const cause = schema.safeParse({
      lines: [{ amountMinor: 1 }, { amountMinor: 'hunter2' }],
    }).error

    const { data, message } = toPublicError(new TRPCError({ code: 'BAD_REQUEST', cause }))

    expect(data.issues.map(({ path }) => path)).toEqual(['lines.1.amountMinor'])
    expect(message).toMatch(/^Invalid input: input\.lines\.1\.amountMinor: /)
    expect(JSON.stringify(data)).not.toContain('hunter2')
  })

  test('has words for input that is refused without an issue', () => {
    const cause = new z.ZodRealError([])

    expect(toPublicError(new TRPCError({ code: 'BAD_REQUEST', cause })).message).toBe(
      'Invalid input: input: does not fit',
    )
  })

  test.each<[TRPC_ERROR_CODE_KEY, string]>([
    ['NOT_FOUND', 'not_found'],
    ['METHOD_NOT_SUPPORTED', 'method_not_supported'],
    ['PAYLOAD_TOO_LARGE', 'payload_too_large'],
    ['UNSUPPORTED_MEDIA_TYPE', 'unsupported_media_type'],
    ['BAD_REQUEST', 'bad_request'],
  ])('lets tRPC’s own refusal speak for itself: %s', (code, reason) => {
    expect(toPublicError(new TRPCError({ code, message: 'its own words' }))).toMatchObject({
      message: 'its own words',
      data: { ...NOTHING, reason },
    })
  })
})
