// Every procedure of the contract, taken from its router, against a caller that knows the id of somebody else's job. A
// procedure that is added and is not named here fails the test.
import { createResearchRouter, type AskEventWithId } from '@deputy/contracts/research'
import { createLogger, serveAgent } from '@deputy/serve'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { bearer, callTrpc } from '../../../test/support/call-trpc.ts'
import { createFakeAuthenticator } from '../test-support/fake-authenticator.ts'
import { ALICE, callBy, createResearchWorld } from '../test-support/research-world.ts'

const FILES = { 'keys.md': '# Keys\n\nA deactivated key is refused from the next request on.\n' }
const QUESTION = 'When is a deactivated key refused?'
const SCOPES = ['research:read', 'research:write', 'conversations:read']

// tRPC's types nest the procedures of routers in routers; at runtime they are one flat record.
const Procedures = z.record(z.string(), z.custom<{ readonly _def: { readonly type: string } }>())

/** What mallory sends, with the id of a job. */
const ATTACKS: Readonly<Record<string, (jobId: string) => object>> = {
  'research.ask': (jobId) => ({ question: QUESTION, lastEventId: `${jobId}:0` }),
  'research.answer': () => ({ question: QUESTION, idempotencyKey: 'key-of-alice-1' }),
  'research.jobs': () => ({ limit: 100 }),
  'research.receipt': (jobId) => ({ jobId, holdId: `hold-of-${jobId}` }),
  'research.trace': (jobId) => ({ jobId }),
  'conversations.list': () => ({ limit: 100 }),
  'conversations.get': (jobId) => ({ jobId }),
}

async function startTwo() {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await createResearchWorld(FILES))
  const router = createResearchRouter(world.service)
  const agent = stack.use(
    await serveAgent({
      agentId: 'agent-research-v1',
      router,
      authenticator: createFakeAuthenticator({
        alice: { agentId: ALICE, scopes: SCOPES },
        mallory: { agentId: 'agent-mallory-v1', scopes: SCOPES },
        nobody: { agentId: 'agent-nobody-v1', scopes: [] },
      }),
      issuer: 'https://issuer.example',
      port: 0,
      logger: createLogger({ name: 'research', level: 'silent' }),
    }),
  )
  const resources = stack.move()
  const procedures = Object.entries(Procedures.parse(router._def.procedures)).map(
    ([path, { _def }]) => ({ path, type: _def.type }),
  )
  return {
    world,
    procedures,
    async call(caller: string, path: string, input: object) {
      const type = procedures.find((one) => one.path === path)?.type
      const headers = bearer(caller)
      if (type === 'subscription') {
        const url = `${agent.url}/trpc/${path}?input=${encodeURIComponent(JSON.stringify(input))}`
        const response = await fetch(url, { headers: { ...headers, accept: 'text/event-stream' } })
        return { text: await response.text() }
      }
      return callTrpc(agent.url, path, {
        headers,
        input,
        ...(type === 'mutation' ? { method: 'POST' } : {}),
      })
    },
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

test('no procedure shows mallory anything of alice’s, nor that it is there', async () => {
  await using two = await startTwo()
  const asked = { question: QUESTION, maxSentences: 5, idempotencyKey: 'key-of-alice-1' }
  const { jobId } = await two.world.service.answer(callBy(ALICE), asked)
  const strip = (text: string, id: string): string =>
    text.replaceAll(id, 'job').replaceAll(/"correlationId":"[^"]+"/g, '')

  for (const { path } of two.procedures) {
    const attack = ATTACKS[path]
    if (attack === undefined) throw new Error(`${path} is attacked by nobody: name it in ATTACKS`)
    const real = await two.call('mallory', path, attack(jobId))
    const invented = await two.call('mallory', path, attack('no-such-job'))

    // What takes an id answers as if there were no such job; the rest has nothing of it: her own question is her own job.
    const takesId = JSON.stringify(attack('the-id')).includes('the-id')
    const verdict = {
      path,
      isRefused: !takesId || /_unknown/.test(real.text),
      isToldApart: takesId && strip(real.text, jobId) !== strip(invented.text, 'no-such-job'),
      isShown: takesId ? /A deactivated key/.test(real.text) : real.text.includes(jobId),
    }
    expect(verdict).toEqual({ path, isRefused: true, isToldApart: false, isShown: false })
  }
})

test('no procedure does anything for a caller without its scope', async () => {
  await using two = await startTwo()
  const { jobId } = await two.world.ask(QUESTION)
  const before = two.world.billing.acts.length

  for (const { path } of two.procedures) {
    const refused = await two.call('nobody', path, ATTACKS[path]?.(jobId) ?? {})

    expect([path, refused.text.includes('scope_missing')]).toEqual([path, true])
  }
  expect(two.world.billing.acts).toHaveLength(before)
})

test('a stream that is cut at any event is taken up there, live or after a restart, without loss or repetition', async () => {
  await using two = await startTwo()
  const { service } = two.world
  const input = { question: QUESTION, maxSentences: 5 }
  const all: AskEventWithId[] = []
  for await (const event of service.ask(callBy(ALICE), input)) all.push(event)
  const types = all.map(({ event }) => (event.type === 'step' ? event.step.kind : event.type))

  for (let cut = 1; cut <= all.length; cut += 1) {
    const seen: AskEventWithId[] = []
    for await (const event of service.ask(callBy(ALICE), input)) {
      seen.push(event)
      if (seen.length === cut) break
    }
    const lastEventId = seen.at(-1)?.id ?? ''
    const live: AskEventWithId[] = []
    for await (const event of service.ask(callBy(ALICE), { ...input, lastEventId }))
      live.push(event)
    const later: AskEventWithId[] = []
    const restarted = two.world.restart()
    for await (const event of restarted.ask(callBy(ALICE), { ...input, lastEventId })) {
      later.push(event)
    }

    const whole = [...seen, ...live]
    const jobId = lastEventId.split(':')[0] ?? ''
    expect(whole.map(({ id }) => id)).toEqual(all.map((_, at) => `${jobId}:${String(at + 1)}`))
    expect(
      whole.map(({ event }) => (event.type === 'step' ? event.step.kind : event.type)),
    ).toEqual(types)
    expect(later).toEqual(live)
  }
})
