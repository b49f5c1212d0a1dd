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

test('leaves to tRPC what tRPC keeps in another way', () => {
  const procedure = createRouter([])._def.procedures.plain

  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a later version might make of it
  const foreign = {
    _def: { ...procedure._def, middlewares: { first: 1 } },
  } as unknown as AnyTRPCProcedure

  expect(createProcedureRunner(foreign)).toBe(callTRPCProcedure)
  expect(createProcedureRunner(procedure)).not.toBe(callTRPCProcedure)
})
