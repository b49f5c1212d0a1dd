import { TRPCError, type TRPCProcedureType } from '@trpc/server'
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
  const type = readType(plain)
  let calls: TRPCRequestInfo['calls'] | undefined
  return {
    accept: null,
    type,
    isBatchCall: isBatch,
    connectionParams: null,
    signal,
    get calls() {
      return (calls ??= paths.map((path, index) => ({
        path,
        batchIndex: index,
        procedure: procedures[index] ?? null,
        getRawInput: async () => inputs.read(index),
        result: () => inputs.peek(index),
      })))
    },
    /** Seldom asked for, and not for nothing. */
    get url() {
      return new URL(req.url ?? '', `http://${req.headers.host ?? 'localhost'}`)
    },
  }
}

/** The type of all calls; those of no procedure have none. */
function readType({ procedures }: PlainRequest): TRPCProcedureType | 'unknown' {
  const types: TRPCProcedureType[] = []
  for (const procedure of procedures) {
    const type = procedure?._def.type
    if (type !== undefined && !types.includes(type)) types.push(type)
  }
  const [type = 'unknown', ...others] = types
  if (others.length === 0) return type
  const message = `Cannot mix procedure types in call: ${types.join(', ')}`
  throw new TRPCError({ code: 'BAD_REQUEST', message })
}
