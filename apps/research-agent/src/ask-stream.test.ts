// `research.ask` step by step: live, resumed, and nobody else's.
import { AuthError } from '@deputy/auth/trpc'
import { AskEvent, type AskEventWithId } from '@deputy/contracts/research'
import { describe, expect, test } from 'vitest'
import {
  ALICE,
  BOB,
  callBy,
  createResearchWorld,
  refusalOf,
  type ResearchWorld,
} from '../test-support/research-world.ts'

const FILES = { 'keys.md': '# Keys\n\nA deactivated key is refused from the next request on.\n' }
const INPUT = { question: 'When is a deactivated key refused?', maxSentences: 5 }

async function collect(events: AsyncIterable<AskEventWithId>): Promise<AskEventWithId[]> {
  const all: AskEventWithId[] = []
  for await (const event of events) all.push(event)
  return all
}
const resume = (world: ResearchWorld, lastEventId: string, agentId = ALICE) =>
  world.service.ask(callBy(agentId), { ...INPUT, lastEventId })
const kinds = (events: readonly AskEventWithId[]): string[] =>
  events.map(({ event }) => (event.type === 'step' ? event.step.kind : event.type))

test('shows each step as it ends, and the brief as the last event', async () => {
  await using world = await createResearchWorld(FILES)

  const events = await collect(world.service.ask(callBy(ALICE), INPUT))

  const ids = events.map(({ id }) => id)
  const [first = ''] = ids
  const jobId = first.split(':')[0] ?? ''
  for (const { event } of events) expect(AskEvent.safeParse(event).success).toBe(true)
  expect(ids).toEqual(ids.map((_, at) => `${jobId}:${String(at + 1)}`))
  expect(kinds(events)).toEqual([
    'intent',
    'classify',
    'plan',
    'billing',
    'billing',
    'model',
    'policy',
    'tool',
    'model',
    'policy',
    'tool',
    'model',
    'verify',
    'billing',
    'outcome',
    'brief',
  ])
})

describe('a broken connection', () => {
  test('loses nothing: the job goes on, and every later event comes once', async () => {
    await using world = await createResearchWorld(FILES)
    const seen: AskEventWithId[] = []
    for await (const event of world.service.ask(callBy(ALICE), INPUT)) {
      seen.push(event)
      if (seen.length === 3) break
    }

    const rest = await collect(resume(world, seen.at(-1)?.id ?? ''))

    const sequences = [...seen, ...rest].map(({ id }) => Number(id.split(':')[1]))
    expect(sequences).toEqual(sequences.map((_, at) => at + 1))
    expect(kinds(rest).at(-1)).toBe('brief')
    expect(world.billing.acts.filter((act) => act.startsWith('capture'))).toHaveLength(1)
  })

  test('is taken up again also after a restart of the agent, and after the end', async () => {
    await using world = await createResearchWorld(FILES)
    const events = await collect(world.service.ask(callBy(ALICE), INPUT))
    const restarted = { ...world, service: world.restart() }

    const all = await collect(resume(restarted, (events[0]?.id ?? '').replace(/:1$/, ':0')))
    const nothing = await collect(resume(restarted, events.at(-1)?.id ?? ''))

    expect(all).toEqual(events)
    expect(nothing).toEqual([])
  })
})

describe('of a job of alice’s', () => {
  test('mallory with its id sees no step, no trace and no answer, nor that there is one', async () => {
    // Attack: across tenants, with an id that was learned or guessed.
    await using world = await createResearchWorld(FILES)
    const { jobId } = await world.ask(INPUT.question)
    const as = callBy('agent-mallory-v1')
    const attempts = async (id: string) => [
      await refusalOf(collect(resume(world, `${id}:0`, 'agent-mallory-v1'))),
      await refusalOf(world.service.trace(as, { jobId: id })),
      await refusalOf(world.service.getConversation(as, { jobId: id })),
    ]

    const real = await attempts(jobId)
    const invented = await attempts('no-such-job')

    expect(JSON.stringify(real).replaceAll(jobId, 'x')).toBe(
      JSON.stringify(invented).replaceAll('no-such-job', 'x'),
    )
    expect(real.map(({ reason }) => reason)).toEqual(['job_unknown', 'job_unknown', 'job_unknown'])
    expect(await world.service.listJobs(as, { limit: 10 })).toEqual({ jobs: [] })
  })

  test('alice reads the trace, the answer and what it took', async () => {
    await using world = await createResearchWorld(FILES)
    const brief = await world.ask(INPUT.question)
    const own = { jobId: brief.jobId }

    const trace = await world.service.trace(callBy(ALICE), own)
    const conversation = await world.service.getConversation(callBy(ALICE), own)
    const { jobs } = await world.service.listJobs(callBy(ALICE), { limit: 10, state: 'completed' })

    expect(trace).toMatchObject({
      state: 'completed',
      answeredBy: 'rules',
      totals: { modelCalls: 3, toolCalls: 2, refused: 0, inputTokens: 0 },
    })
    expect(trace.steps.find(({ kind }) => kind === 'tool')).toMatchObject({
      tool: 'documents.search',
      scopes: ['research:write'],
      decision: 'pass',
    })
    expect(conversation.brief).toEqual(brief)
    expect(jobs).toMatchObject([{ jobId: brief.jobId, cost: { amountMinor: 15 } }])
    expect(jobs[0]?.steps).toBe(trace.steps.length)
    expect(JSON.stringify(trace)).not.toContain('token-1')
    expect(await world.service.listJobs(callBy(BOB), { limit: 10 })).toEqual({ jobs: [] })
  })
})

test.each([
  ['token', 'token_revoked'],
  ['API key', 'api_key_invalid'],
] as const)(
  'ends when the %s that it is done for is revoked, and gives back what is held',
  async (_, reason) => {
    await using world = await createResearchWorld(FILES)
    const authority = new AbortController()
    const events = world.service.ask({ ...callBy(ALICE), signal: authority.signal }, INPUT)
    const seen: string[] = []
    const following = (async () => {
      for await (const { event } of events) {
        if (event.type === 'step') seen.push(event.step.kind)
        if (seen.at(-1) === 'plan') {
          authority.abort(new AuthError({ reason }))
        }
      }
    })()

    await expect(following).rejects.toMatchObject({ refusal: { reason } })
    const { jobs } = await world.service.listJobs(callBy(ALICE), { limit: 10 })
    expect(jobs).toMatchObject([{ state: 'failed', reason }])
    expect([...world.billing.holds.values()]).not.toContain('held')
    expect(world.billing.acts).not.toContain('capture 15')
  },
)
