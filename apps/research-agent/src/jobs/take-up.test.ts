// A job whose process was lost goes on in the next one, from where it was: nothing is asked for, or paid for, twice.
import type { AskEventWithId } from '@deputy/contracts/research'
import { describe, expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import {
  ALICE,
  callBy,
  createFakeBilling,
  createResearchWorld,
  refusalOf,
  type ResearchWorldOptions,
} from '../../test-support/research-world.ts'
import type { BillingGateway } from '../billing/billing-gateway.ts'
import { createScriptedPlanner, type ScriptedStep } from '../../test-support/scripted-model.ts'
import { LEASE_SECONDS } from './lease.ts'
import { sweepJobs } from './sweep-jobs.ts'

const FILES = { 'keys.md': '# Keys\n\nA deactivated key is refused from the next request on.\n' }
const INPUT = { question: 'When is a deactivated key refused?', maxSentences: 5 }
const KEY = 'the-one-key'
const SEARCH: ScriptedStep = { tool: 'documents_search', input: { query: INPUT.question } }
const ANSWER = 'A deactivated key is refused from the next request on. [keys.md:3]'

/** A place where processes come and go: the database and billing stay. */
async function createPlace() {
  const folder = await createTemporaryFolder()
  const billing = createFakeBilling()
  const common: ResearchWorldOptions = { databaseFile: folder.file('research.sqlite'), billing }
  return {
    billing,
    start: async (steps: readonly ScriptedStep[], more: Partial<ResearchWorldOptions> = {}) => {
      const scripted = createScriptedPlanner(steps)
      const world = await createResearchWorld(FILES, {
        ...common,
        planner: scripted.planner,
        ...more,
      })
      return { ...world, prompts: scripted.prompts }
    },
    [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
  }
}

/** A model that answers once, and then when it is woken: its process is lost, or stopped, while it waits. */
function createSilentModel() {
  const { planner } = createScriptedPlanner([SEARCH, ANSWER])
  const { model } = planner
  if (typeof model === 'string' || model.specificationVersion !== 'v4') throw new Error('no mock')
  const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>()
  const { promise: woken, resolve: wake } = Promise.withResolvers<void>()
  let turns = 0
  const generate = model.doGenerate.bind(model)
  model.doGenerate = async (options) => {
    turns += 1
    if (turns === 1) return generate(options)
    wasAsked()
    const aborted = new Promise<never>((_resolve, reject) => {
      options.abortSignal?.addEventListener('abort', () => reject(new Error('aborted')))
    })
    await Promise.race([woken, aborted])
    return generate(options)
  }
  return { planner, asked, wake }
}

/** Billing that carries out the first capture, and answers it when it is told to. */
function createSlowCapture(billing: ReturnType<typeof createFakeBilling>) {
  const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>()
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  const gateway: BillingGateway = (...job) => {
    const work = billing.gateway(...job)
    return {
      ...work,
      async capture(...hold) {
        const captured = await work.capture(...hold)
        wasAsked()
        await answered
        return captured
      },
    }
  }
  return { asked, answer, billing: { ...billing, gateway } }
}

/** Leaves a job in the middle of the loop, with what its asker had seen by then. */
async function leaveInTheMiddle(place: Awaited<ReturnType<typeof createPlace>>) {
  const { asked, planner, wake } = createSilentModel()
  const lost = await place.start([], { planner })
  const seen: AskEventWithId[] = []
  const events = lost.service.ask(callBy(ALICE), { ...INPUT, idempotencyKey: KEY })
  const ended = (async () => {
    for await (const event of events) seen.push(event)
  })().catch((error: unknown) => error)
  await asked
  return { lost, seen, wake, ended }
}

const kindsOf = (events: readonly AskEventWithId[]): string[] =>
  events.map(({ event }) => (event.type === 'step' ? event.step.kind : event.type))

describe('after a crash in the middle of the loop', () => {
  test('the asker who comes back gets the further steps and the brief, and pays once', async () => {
    await using place = await createPlace()
    const { seen } = await leaveInTheMiddle(place)
    await using world = await place.start([ANSWER])
    world.clock.advance(LEASE_SECONDS)

    const rest: AskEventWithId[] = []
    const lastEventId = seen.at(-1)?.id ?? ''
    for await (const event of world.service.ask(callBy(ALICE), { ...INPUT, lastEventId })) {
      rest.push(event)
    }

    expect(kindsOf(rest)).toEqual(['resume', 'model', 'verify', 'billing', 'outcome', 'brief'])
    const sequences = [...seen, ...rest].map(({ id }) => Number(id.split(':')[1]))
    expect(sequences).toEqual(sequences.map((_, at) => at + 1))
    // The model is asked what the lost process had asked: with what the tool had answered.
    expect(world.prompts).toHaveLength(1)
    expect(world.prompts[0]).toContain('refused from the next request on')
    expect(place.billing.acts).toEqual(['quote 5', 'hold', 'capture 15'])
    const brief = rest.at(-1)?.event
    expect(brief?.type === 'brief' && brief.brief.calls.map(({ procedure }) => procedure)).toEqual([
      'billing.quote',
      'billing.hold',
      'billing.capture',
    ])
  })

  test('the same idempotency key goes on with it as well', async () => {
    await using place = await createPlace()
    await leaveInTheMiddle(place)
    await using world = await place.start([ANSWER])
    world.clock.advance(LEASE_SECONDS)

    const brief = await world.ask(INPUT.question, ALICE, KEY)

    expect(brief.sentences).toHaveLength(1)
    expect(place.billing.acts).toEqual(['quote 5', 'hold', 'capture 15'])
  })

  test('nobody takes it up while its process may still live', async () => {
    await using place = await createPlace()
    await leaveInTheMiddle(place)
    await using world = await place.start([ANSWER])
    world.clock.advance(LEASE_SECONDS - 1)

    const refused = await refusalOf(world.ask(INPUT.question, ALICE, KEY))

    expect(refused.reason).toBe('job_in_progress')
    expect(world.prompts).toEqual([])
  })

  test('of eight who come back at once one goes on, and all get the one brief', async () => {
    await using place = await createPlace()
    const { seen } = await leaveInTheMiddle(place)
    await using world = await place.start([ANSWER])
    world.clock.advance(LEASE_SECONDS)
    const comeBack = async (): Promise<string | undefined> => {
      const lastEventId = seen[0]?.id ?? ''
      let last: AskEventWithId | undefined
      for await (const event of world.service.ask(callBy(ALICE), { ...INPUT, lastEventId })) {
        last = event
      }
      return last?.id
    }

    const ends = await Promise.all(Array.from({ length: 8 }, comeBack))

    expect(new Set(ends).size).toBe(1)
    expect(world.prompts).toHaveLength(1)
    expect(place.billing.acts).toEqual(['quote 5', 'hold', 'capture 15'])
  })

  test('a process that was only slow ends nothing, and releases nothing, of what another one took up', async () => {
    // Attack on the money: a process that was stopped for a while wakes up when its job has another one.
    await using place = await createPlace()
    const { ended, seen, wake } = await leaveInTheMiddle(place)
    await using world = await place.start([ANSWER])
    world.clock.advance(LEASE_SECONDS)
    const taken = await world.ask(INPUT.question, ALICE, KEY)
    const { jobId } = taken
    const trace = await world.service.trace(callBy(ALICE), { jobId })

    wake()

    // Whoever follows it there gets what came of it elsewhere.
    expect(await ended).toBeUndefined()
    expect(seen.at(-1)?.event).toMatchObject({ type: 'brief', brief: taken })
    expect(await world.service.trace(callBy(ALICE), { jobId })).toEqual(trace)
    expect(place.billing.acts).toEqual(['quote 5', 'hold', 'capture 15'])
    expect(await world.ask(INPUT.question, ALICE, KEY)).toEqual(taken)
  })

  test('a process that was slow in the middle of its capture leaves the brief, and the trace, to who took it up', async () => {
    await using place = await createPlace()
    const { asked, answer, billing } = createSlowCapture(place.billing)
    await using lost = await place.start([SEARCH, ANSWER], { billing })
    const ended = lost.ask(INPUT.question, ALICE, KEY).catch((error: unknown) => error)
    await asked
    await using world = await place.start([])
    world.clock.advance(LEASE_SECONDS)
    const taken = await world.ask(INPUT.question, ALICE, KEY)
    const { jobId } = taken
    const trace = await world.service.trace(callBy(ALICE), { jobId })

    answer()

    expect(await ended).toMatchObject({ reason: 'interrupted' })
    expect(await world.service.trace(callBy(ALICE), { jobId })).toEqual(trace)
    expect(await world.ask(INPUT.question, ALICE, KEY)).toEqual(taken)
    expect([...place.billing.holds.values()]).toEqual(['captured'])
  })

  test('a job that loses process after process ends with that, and gives back what is held', async () => {
    await using place = await createPlace()
    await leaveInTheMiddle(place)
    await using world = await place.start([ANSWER])
    const [job] = await world.storage.jobs.listUnsettled(Number.MAX_SAFE_INTEGER)
    const jobId = job?.jobId ?? ''
    for (let loss = 0; loss < 3; loss += 1) {
      world.clock.advance(LEASE_SECONDS)
      const now = world.clock.now()
      await world.storage.jobs.takeUp(jobId, { now, until: now + LEASE_SECONDS })
    }
    world.clock.advance(LEASE_SECONDS)

    const refused = await refusalOf(world.ask(INPUT.question, ALICE, KEY))

    expect(refused).toMatchObject({
      reason: 'interrupted',
      message: 'The work was interrupted 4 times',
    })
    expect(place.billing.acts).toEqual(['quote 5', 'hold', 'release'])
    expect(await world.ask(INPUT.question, ALICE, KEY)).toMatchObject({
      question: INPUT.question,
    })
  })

  test('a checkpoint of another version is not gone on from: the loop begins again under the same hold', async () => {
    await using place = await createPlace()
    await leaveInTheMiddle(place)
    await using world = await place.start([SEARCH, ANSWER])
    world.clock.advance(LEASE_SECONDS)
    const now = world.clock.now()
    const [job] = await world.storage.jobs.listUnsettled(now)
    await world.storage.jobs.takeUp(job?.jobId ?? '', { now, until: now })
    await world.storage.jobs.note(job?.jobId ?? '', { checkpoint: '{"version":0}' })

    await world.ask(INPUT.question, ALICE, KEY)

    expect(world.prompts).toHaveLength(2)
    expect(place.billing.acts).toEqual(['quote 5', 'hold', 'capture 15'])
  })
})

test('an agent that is closed lays its jobs down, and the next one goes on at once', async () => {
  await using place = await createPlace()
  const { ended, lost } = await leaveInTheMiddle(place)
  await lost.service.close()
  expect(await ended).toMatchObject({ reason: 'interrupted' })
  await lost[Symbol.asyncDispose]()
  await using world = await place.start([ANSWER])

  const brief = await world.ask(INPUT.question, ALICE, KEY)

  expect(brief.sentences).toHaveLength(1)
  expect(place.billing.acts).toEqual(['quote 5', 'hold', 'capture 15'])
})

test('an agent that is closed gives back at once what nobody can come back for', async () => {
  await using place = await createPlace()
  const { asked, planner } = createSilentModel()
  await using world = await place.start([], { planner })
  const asking = refusalOf(world.ask(INPUT.question, ALICE))
  await asked

  await world.service.close()

  expect(await asking).toMatchObject({ reason: 'interrupted' })
  expect(place.billing.acts).toEqual(['quote 5', 'hold', 'release'])
})

test('what nobody takes up in time is given back, and its key is free', async () => {
  await using place = await createPlace()
  await leaveInTheMiddle(place)
  await using world = await place.start([SEARCH, ANSWER])
  world.clock.advance(LEASE_SECONDS + world.deps.resumeSeconds)

  await sweepJobs(world.deps)

  expect(place.billing.acts).toEqual(['quote 5', 'hold', 'release'])
  const { jobs } = await world.service.listJobs(callBy(ALICE), { limit: 10 })
  expect(jobs).toMatchObject([{ state: 'failed', reason: 'interrupted' }])
  expect(await world.ask(INPUT.question, ALICE, KEY)).toMatchObject({ question: INPUT.question })
})
