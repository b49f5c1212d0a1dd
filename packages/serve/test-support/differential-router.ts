// A router on which a call can end in every way that tRPC knows, without anything of Deputy's.
import { initTRPC, lazy, TRPCError, type TRPCDataTransformer } from '@trpc/server'
import * as z from 'zod'

/** Dates and bigints as tagged text: a transformer whose two directions differ. */
export const taggingTransformer: TRPCDataTransformer = {
  serialize: (value: unknown) => ({ tagged: tag(value) }),
  deserialize(value: unknown) {
    if (typeof value !== 'object' || value === null || !('tagged' in value)) {
      throw new TypeError('not tagged')
    }
    return value.tagged
  },
}

function tag(value: unknown): unknown {
  if (value instanceof Date) return { date: value.toISOString() }
  if (typeof value === 'bigint') return { bigint: value.toString() }
  return value
}

export type DifferentialContext = { readonly caller: string | undefined }

export type RouterOptions = {
  readonly transformer?: TRPCDataTransformer
  readonly isDev?: boolean
  readonly errorFormatter?: 'strips' | 'throws' | undefined
  /** Whether a part of it, `later`, is loaded with the first call of it. */
  readonly hasLazyPart?: boolean | undefined
}

/** Creates the router. */
export function createDifferentialRouter(options: RouterOptions = {}) {
  const { errorFormatter, hasLazyPart = false, isDev = false, transformer } = options
  const t = initTRPC.context<DifferentialContext>().create({
    isDev,
    ...(transformer === undefined ? {} : { transformer }),
    errorFormatter({ ctx, input, path, shape, type }) {
      if (errorFormatter === 'throws') throw new Error('the formatter is broken')
      if (errorFormatter === 'strips') return { code: shape.code, message: shape.message }
      return { ...shape, data: { ...shape.data, seen: { ctx, input, path, type } } }
    },
  })
  const { procedure } = t
  const text = z.object({ text: z.string().min(1) })
  return t.router({
    hello: procedure.query(({ ctx }) => ({ hello: ctx.caller ?? 'nobody' })),
    echo: procedure.input(z.unknown()).query(({ input }) => input),
    nothing: procedure.query(() => undefined),
    none: procedure.query(() => null),
    list: procedure.query(() => [1, 'two', { three: 3 }]),
    unicode: procedure.query(() => 'größer ☃ 🦉'),
    strict: procedure.input(text).query(({ input }) => input.text.length),
    date: procedure.query(() => new Date(0)),
    big: procedure.query(() => 12n),
    save: procedure.input(text).mutation(({ input }) => ({ saved: input.text })),
    saveNothing: procedure.mutation(() => 'saved'),
    saveAny: procedure.input(z.unknown()).mutation(({ input }) => ({ got: input ?? 'nothing' })),
    refuse: procedure.input(z.object({ code: z.enum(CODES) })).query(({ input }) => {
      throw new TRPCError({ code: input.code, message: `refused with ${input.code}` })
    }),
    throwText: procedure.query(() => {
      // oxlint-disable-next-line typescript/only-throw-error -- what a careless handler does
      throw 'a text'
    }),
    throwError: procedure.mutation(() => {
      throw new RangeError('out of range')
    }),
    promiseInside: procedure.query(() => ({ later: Promise.resolve(1) })),
    streamInside: procedure.query(() => ({ stream: generate() })),
    stream: procedure.query(() => generate()),
    ticks: procedure.subscription(async function* ticks() {
      yield 1
    }),
    own: procedure
      .errors(() => ({ code: -32_603, message: 'of its own', data: { httpStatus: 418 } }))
      .query((): string => {
        throw new Error('hidden')
      }),
    nested: t.router({
      deep: t.router({ hello: procedure.query(() => 'deep') }),
      'with-dash': procedure.query(() => 'dash'),
    }),
    constructor2: procedure.query(() => 'harmless'),
    ...(hasLazyPart
      ? { later: lazy(async () => t.router({ hello: procedure.query(() => 'late') })) }
      : {}),
  })
}

async function* generate(): AsyncGenerator<number> {
  yield 1
}

const CODES = [
  'PARSE_ERROR',
  'BAD_REQUEST',
  'UNAUTHORIZED',
  'PAYMENT_REQUIRED',
  'FORBIDDEN',
  'NOT_FOUND',
  'METHOD_NOT_SUPPORTED',
  'TIMEOUT',
  'CONFLICT',
  'PRECONDITION_FAILED',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'UNPROCESSABLE_CONTENT',
  'PRECONDITION_REQUIRED',
  'TOO_MANY_REQUESTS',
  'CLIENT_CLOSED_REQUEST',
  'INTERNAL_SERVER_ERROR',
  'NOT_IMPLEMENTED',
  'BAD_GATEWAY',
  'SERVICE_UNAVAILABLE',
  'GATEWAY_TIMEOUT',
] as const

/** Every code of tRPC. */
export const ALL_CODES: readonly string[] = CODES
