// Whether what a handler ended with can be carried to its caller, and watched on the way.
import { TRPCError, type TRPCProcedureType } from '@trpc/server'
import { isObservable } from '@trpc/server/observable'
import type { AgentContext } from './context.ts'
import { isStream } from './until-end.ts'

type AnsweredCall = Pick<AgentContext, 'takesParts'> & {
  readonly path: string
  readonly type: TRPCProcedureType
}

/**
 * Throws where a subscription ended with no stream, or a call with one that its transport does not carry; that one is let
 * go of.
 *
 * Attack prevented: a stream in a form that the guard does not know, which goes on after its caller's authority has ended.
 */
export function requireForm(data: unknown, { path, takesParts, type }: AnsweredCall): void {
  if (type === 'subscription') {
    if (!isStream(data)) throw noStream(path)
  } else if (takesParts === true) {
    if (isObservable(data)) throw noStream(path)
  } else if (isStream(data)) {
    data[Symbol.asyncIterator]()
      .return?.()
      .then(undefined, () => undefined)
    const message = `${path} answers with a stream: call it over HTTP, with httpBatchStreamLink`
    throw new TRPCError({ code: 'UNSUPPORTED_MEDIA_TYPE', message })
  }
}

function noStream(path: string): TRPCError {
  const message = `${path} must answer with an async iterable, like a generator: an observable ends with nobody’s authority`
  return new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message })
}
