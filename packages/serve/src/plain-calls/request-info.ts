import { TRPCError } from '@trpc/server'
import type { TRPCRequestInfo } from '@trpc/server/http'
import type { IncomingMessage } from 'node:http'
import type { CallInputs } from './call-inputs.ts'
import type { PlainRequest } from './plain-request.ts'

export type RequestInfoOptions = {
  readonly req: IncomingMessage
  readonly plain: PlainRequest
  readonly inputs: CallInputs
  readonly signal: AbortSignal
  readonly maxBatchSize: number | undefined
}

/**
 * Says what is asked for as tRPC does to `createContext` and `responseMeta`. Throws `BAD_REQUEST` for a batch
 * that is too large, or that mixes queries and mutations.
 */
export function createRequestInfo(options: RequestInfoOptions): TRPCRequestInfo {
  const { inputs, maxBatchSize, plain, req, signal } = options
  const { isBatch, paths, procedures } = plain
  if (isBatch && maxBatchSize !== undefined && paths.length > maxBatchSize) {
    throw new TRPCError({ code: 'BAD_REQUEST', message: 'Batch call exceeds maximum size' })
  }
  const types = new Set(procedures.flatMap((procedure) => procedure?._def.type ?? []))
  if (types.size > 1) {
    const message = `Cannot mix procedure types in call: ${[...types].join(', ')}`
    throw new TRPCError({ code: 'BAD_REQUEST', message })
  }
  const [type = 'unknown'] = types
  return {
    accept: null,
    type,
    isBatchCall: isBatch,
    connectionParams: null,
    signal,
    calls: paths.map((path, index) => ({
      path,
      batchIndex: index,
      procedure: procedures[index] ?? null,
      getRawInput: async () => inputs.read(index),
      result: () => inputs.peek(index),
    })),
    /** Seldom asked for, and not for nothing. */
    get url() {
      return new URL(req.url ?? '', `http://${req.headers.host ?? 'localhost'}`)
    },
  }
}
