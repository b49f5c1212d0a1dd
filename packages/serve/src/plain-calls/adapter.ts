// tRPC's own adapter, for what is no plain call. Loaded with the first of those, not at the start (docs/adr/0045).
import type { AnyTRPCRouter, TRPCError } from '@trpc/server'
import type { createHTTPHandler, CreateHTTPHandlerOptions } from '@trpc/server/adapters/standalone'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Answers a request; with a refusal, that one. */
export type Adapter = (req: IncomingMessage, res: ServerResponse, refusal?: TRPCError) => void

type Failure = {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly cause: unknown
}

/** Creates it. @param fail answers where the adapter cannot be loaded */
export function createAdapter(
  options: CreateHTTPHandlerOptions<AnyTRPCRouter>,
  fail: (failure: Failure) => void,
): Adapter {
  let create: typeof createHTTPHandler | undefined
  let passing: ReturnType<typeof createHTTPHandler> | undefined

  function answer(made: typeof createHTTPHandler, exchange: Parameters<Adapter>): void {
    const [req, res, refusal] = exchange
    if (refusal === undefined) {
      passing ??= made({ ...options, middleware: (_req, _res, next) => next() })
      passing(req, res)
    } else made({ ...options, middleware: (_req, _res, next) => next(refusal) })(req, res)
  }

  async function load(exchange: Parameters<Adapter>): Promise<void> {
    const [req, res] = exchange
    try {
      const loaded = await import('@trpc/server/adapters/standalone')
      create = loaded.createHTTPHandler
      // Who has gone away meanwhile would never be noticed.
      if (!res.destroyed) answer(create, exchange)
    } catch (cause) {
      fail({ req, res, cause })
    }
  }

  return (...exchange) => {
    if (create === undefined) void load(exchange)
    else answer(create, exchange)
  }
}
