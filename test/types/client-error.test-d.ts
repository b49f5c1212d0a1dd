// What the compiler knows of an error once its code is known.
import { expectTypeOf } from 'vitest'
import {
  ClientError,
  isClientError,
  type CallToApprove,
  type ClientErrorCode,
} from '@deputy/client'

declare const thrown: unknown

if (isClientError(thrown)) {
  expectTypeOf(thrown).toExtend<ClientError>()
  expectTypeOf(thrown.code).toBeString()
  expectTypeOf(thrown.hint).toBeString()
  expectTypeOf(thrown.requiredScopes).toEqualTypeOf<readonly string[]>()
  // What only some codes come with may not be there.
  expectTypeOf(thrown.retryAfterSeconds).toEqualTypeOf<number | undefined>()
  // @ts-expect-error -- what was refused does not change
  thrown.code = 'other'
}

if (isClientError(thrown, 'rate_limited')) {
  expectTypeOf(thrown.code).toEqualTypeOf<'rate_limited'>()
  expectTypeOf(thrown.retryAfterSeconds).toEqualTypeOf<number>()
  // @ts-expect-error -- nothing is approved by waiting
  expectTypeOf(thrown.approvalId).toEqualTypeOf<string>()
}

if (isClientError(thrown, 'approval_required')) {
  expectTypeOf(thrown.approval).toEqualTypeOf<CallToApprove>()
}

if (isClientError(thrown, 'approval_pending', 'approval_denied')) {
  expectTypeOf(thrown.code).toEqualTypeOf<'approval_pending' | 'approval_denied'>()
}

// An agent's own reasons narrow as well.
if (isClientError(thrown, 'insufficient_funds')) {
  expectTypeOf(thrown.code).toEqualTypeOf<'insufficient_funds'>()
}

// @ts-expect-error -- an error that nobody looked at says nothing
void thrown.code
expectTypeOf<ClientError>().toExtend<Error>()
expectTypeOf<'token_unavailable'>().toExtend<ClientErrorCode>()
// @ts-expect-error -- a code that the client itself never gives
expectTypeOf<'insufficient_funds'>().toExtend<ClientErrorCode>()
// @ts-expect-error -- an error without a code helps nobody
export const silent = () => new ClientError({ message: 'it failed' })
