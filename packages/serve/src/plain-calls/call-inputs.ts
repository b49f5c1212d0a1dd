import { TRPCError, type AnyTRPCRouter } from '@trpc/server'
import type { IncomingMessage } from 'node:http'
import { isNestedDeeper, tooDeep } from '../limits/json-depth.ts'
import type { PlainRequest } from './plain-request.ts'
import { readText } from './request-body.ts'

/** The inputs of a request's calls, read when the first of them needs its own. */
export type CallInputs = {
  /** Rejects with `TRPCError`: the same for every call, since there is one body. */
  read(index: number): Promise<unknown>
  /** What was read already: `undefined` before, and where it could not be read. */
  peek(index: number): unknown
}

export type CallInputsOptions = {
  readonly req: IncomingMessage
  readonly plain: PlainRequest
  readonly transformer: AnyTRPCRouter['_def']['_config']['transformer']
  readonly maxBodyBytes: number
  readonly maxJsonDepth: number
}

/** Nothing is read yet. */
export function createCallInputs(options: CallInputsOptions): CallInputs {
  const { plain } = options
  let values: readonly unknown[] | undefined
  let pending: Promise<readonly unknown[]> | undefined

  async function load(): Promise<readonly unknown[]> {
    try {
      const text =
        plain.method === 'GET'
          ? plain.queryInput
          : await readText(options.req, options.maxBodyBytes)
      if (text === undefined || text === '') return []
      if (isNestedDeeper(text, options.maxJsonDepth)) throw tooDeep(options.maxJsonDepth)
      return toInputs(JSON.parse(text), options)
    } catch (cause) {
      if (cause instanceof TRPCError) throw cause
      const message = cause instanceof Error ? cause.message : 'Invalid input'
      throw new TRPCError({ code: 'BAD_REQUEST', message, cause })
    }
  }

  return {
    async read(index) {
      if (values === undefined) {
        pending ??= load()
        values = await pending
      }
      return values[index]
    },
    peek: (index) => values?.[index],
  }
}

function toInputs(
  sent: unknown,
  { plain, transformer }: Pick<CallInputsOptions, 'plain' | 'transformer'>,
): readonly unknown[] {
  if (!plain.isBatch) return [transformer.input.deserialize(sent)]
  if (!isObject(sent)) {
    throw new TRPCError({
      code: 'BAD_REQUEST',
      message: '"input" needs to be an object when doing a batch call',
    })
  }
  return plain.paths.map((_, index) => {
    const input = sent[index]
    return input === undefined ? undefined : transformer.input.deserialize(input)
  })
}

function isObject(value: unknown): value is Readonly<Record<number, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
