import { callTRPCProcedure, initTRPC, TRPCError, type AnyTRPCProcedure } from '@trpc/server'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { createProcedureRunner, type RunProcedure } from './procedure-runner.ts'

type Context = { readonly who: string; readonly shout?: boolean }

const t = initTRPC.context<Context>().meta<{ note: string }>().create()

/** A router that tells what each of its middlewares is given. */
function createRouter(seen: object[]) {
  const spy = t.procedure.meta({ note: 'x' }).use(async (given) => {
    const { next, ...rest } = given
    seen.push({
      ...rest,
      getRawInput: await given.getRawInput(),
      keys: Object.keys(given).toSorted(),
    })
    const result = await next({ ctx: { shout: true } })
    seen.push({ ok: result.ok })
    return result
  })
  return t.router({
    plain: t.procedure.query(({ ctx, input, path, signal }) => [ctx, input, path, signal?.aborted]),
    seen: spy
      .input(z.object({ text: z.string().default('none') }))
      .query(({ ctx, input }) => [ctx, input]),
    other: spy
      .use(async ({ next }) => next({ getRawInput: async () => ({ text: 'changed' }) }))
      .input(z.object({ text: z.string() }))
      .use(async ({ input, next }) => next({ input }))
      .output(z.array(z.unknown()))
      .mutation(({ ctx, input }) => [ctx, input]),
    throws: spy.query(() => {
      throw new TRPCError({ code: 'CONFLICT', message: 'taken' })
    }),
    bug: spy.query(() => {
      throw new Error('a bug')
    }),
    forgets: t.procedure
      // @ts-expect-error -- as somebody may, who writes no types
      .use(async () => undefined)
      .query(() => 'x'),
    within: spy
      // @ts-expect-error -- the same, further in
      .use(async () => undefined)
      .query(() => 'x'),
    wrongOutput: spy.output(z.string()).query(() => 7 as unknown as string),
  })
}

const { signal } = new AbortController()
const INPUTS: readonly unknown[] = [undefined, { text: 'a' }, { text: 7 }, {}]
const PATHS = [
  'plain',
  'seen',
  'other',
  'throws',
  'bug',
  'forgets',
  'within',
  'wrongOutput',
] as const

async function observe(path: (typeof PATHS)[number], input: unknown, isOwn: boolean) {
  const seen: object[] = []
  const router = createRouter(seen)
  const procedure: AnyTRPCProcedure = router._def.procedures[path]
  const run: RunProcedure = isOwn ? createProcedureRunner(procedure) : callTRPCProcedure
  const { type } = procedure._def
  const call = {
    path,
    type,
    signal,
    batchIndex: 3,
    ctx: { who: 'alice' },
    getRawInput: async () => input,
  }
  try {
    const data = await run({ ...call, router })
    return { data, seen: seen.map(withoutRouter) }
  } catch (error) {
    const { cause, code, message, name } = error as TRPCError
    return { code, message, name, cause: cause?.message, seen: seen.map(withoutRouter) }
  }
}

/** Two routers are never the same. */
function withoutRouter(given: object): object {
  return { ...given, router: 'router' in given }
}

test.each(PATHS)(
  'runs %s as tRPC does: what each middleware is given, what comes of it',
  async (path) => {
    for (const input of INPUTS) {
      expect(await observe(path, input, true)).toEqual(await observe(path, input, false))
    }
  },
)

test('the tRPC that is installed keeps middlewares where the runner looks for them', () => {
  const runner = createProcedureRunner(createRouter([])._def.procedures.plain)

  const why =
    'tRPC no longer keeps a procedure’s middlewares in _def.middlewares, which is not in its public types: calls are still ' +
    'right, since tRPC runs them itself, and slower. See docs/adr/0034-what-a-call-pays-for.md.'
  expect(runner === callTRPCProcedure ? why : 'there').toBe('there')
})

test.each([
  ['nothing', undefined],
  ['none', []],
  ['something else', { first: 1 }],
  ['a list of something else', [{ run: () => undefined }]],
])(
  'leaves to tRPC a procedure with %s where middlewares were, and it is answered',
  async (_, found) => {
    const router = createRouter([])
    const procedure = router._def.procedures.seen
    // What a later version might make of it: called as ever, described in another way.
    const run = async (options: Parameters<typeof procedure>[0]): Promise<unknown> =>
      procedure(options)
    const _def = { ...procedure._def, middlewares: found }
    const foreign: AnyTRPCProcedure = Object.assign(run, { _def, meta: procedure.meta })
    const later = t.router({ seen: foreign })

    const runner = createProcedureRunner(foreign)

    expect(runner).toBe(callTRPCProcedure)
    expect(
      await runner({
        router: later,
        path: 'seen',
        type: 'query',
        signal,
        batchIndex: 0,
        ctx: { who: 'alice' },
        getRawInput: async () => ({ text: 'a' }),
      }),
    ).toEqual([{ who: 'alice', shout: true }, { text: 'a' }])
  },
)
