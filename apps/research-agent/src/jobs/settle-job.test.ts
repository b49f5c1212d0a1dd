// Money and briefs when something ends in the middle: whatever is lost, nobody pays for nothing, and
// what was paid for is delivered.
import { refuse } from '@deputy/auth/protocol'
import { describe, expect, test } from 'vitest'
import {
  ALICE,
  ANSWER_LOST,
  callBy,
  createResearchWorld,
  DOWN,
  refusalOf,
} from '../../test-support/research-world.ts'
import { createResearchService } from '../research-service.ts'
import type { OpenJob } from './settle-job.ts'
import { LEASE_SECONDS } from './lease.ts'
import { sweepJobs } from './sweep-jobs.ts'

const FILES = { 'keys.md': '# Keys\n\nA deactivated key is refused from the next request on.\n' }
const QUESTION = 'When is a deactivated key refused?'
const KEY = 'the-one-key'

type World = Awaited<ReturnType<typeof createResearchWorld>>

/** A job as a crash left it: noted so far, and no longer in any process's hands. */
async function leave(world: World, steps: Partial<OpenJob>) {
  const { jobs } = world.storage
  const job = {
    jobId: 'job-1',
    question: QUESTION,
    maxSentences: 5,
    taskGrant: undefined,
    bodySha256: 'x',
    answeredBy: 'rules',
    idempotencyKey: KEY,
  }
  await jobs.begin(
    { ...job, asker: { agentId: ALICE, subject: ALICE }, askedAt: 1 },
    world.clock.now() + LEASE_SECONDS,
  )
  if (Object.keys(steps).length > 0) await jobs.note('job-1', steps)
}
/** The sweep of a process that starts when nobody came for the job in time. */
const restart = async (world: World): Promise<void> => {
  world.clock.advance(LEASE_SECONDS + world.deps.resumeSeconds)
  await sweepJobs(world.deps)
}
const onlyJob = async (world: World) => {
  const page = await world.service.listConversations(callBy(ALICE), { limit: 10 })
  return page.conversations
}

describe('a job that nobody takes up in time', () => {
  test('is left alone while its asker may still come', async () => {
    await using world = await createResearchWorld(FILES)
    world.billing.holds.set('hold-of-job-1', 'held')
    await leave(world, { quoteId: 'quote-1', holdId: 'hold-of-job-1' })

    world.clock.advance(LEASE_SECONDS + world.deps.resumeSeconds - 1)
    await sweepJobs(world.deps)

    expect(world.billing.acts).toEqual([])
    expect(await onlyJob(world)).toMatchObject([{ state: 'interrupted' }])
  })

  test('that held money gives it back, has failed, and frees its key', async () => {
    await using world = await createResearchWorld(FILES)
    world.billing.holds.set('hold-of-job-1', 'held')
    await leave(world, { quoteId: 'quote-1', holdId: 'hold-of-job-1' })

    await restart(world)

    expect(world.billing.acts).toEqual(['release'])
    expect(await onlyJob(world)).toMatchObject([{ state: 'failed', reason: 'interrupted' }])
    expect(await world.ask(QUESTION, ALICE, KEY)).toMatchObject({ question: QUESTION })
    expect(await world.storage.jobs.listUnsettled(world.clock.now())).toEqual([])
  })

  test('that may have asked for a hold learns whether it did, and gives it back', async () => {
    await using world = await createResearchWorld(FILES)
    world.billing.holds.set('hold-of-job-1', 'held')
    await leave(world, { quoteId: 'quote-1' })

    await restart(world)

    expect(world.billing.acts).toEqual(['hold', 'release'])
    expect(world.billing.holds.get('hold-of-job-1')).toBe('released')
  })

  test('that had not come to its quote troubles billing with nothing', async () => {
    await using world = await createResearchWorld(FILES)
    await leave(world, {})

    await restart(world)

    expect(world.billing.acts).toEqual([])
    expect(await onlyJob(world)).toMatchObject([{ state: 'failed' }])
  })

  test('whose money could not be given back is tried again by the next sweep', async () => {
    await using world = await createResearchWorld(FILES)
    world.billing.holds.set('hold-of-job-1', 'held')
    await leave(world, { quoteId: 'quote-1', holdId: 'hold-of-job-1' })
    world.billing.failures.set('release', [DOWN])

    await restart(world)
    const afterFirst = world.billing.holds.get('hold-of-job-1')
    await restart(world)
    await restart(world)

    expect([afterFirst, world.billing.holds.get('hold-of-job-1')]).toEqual(['held', 'released'])
    expect(world.billing.acts).toEqual(['release', 'release'])
  })

  test('that was paid for when the process ended delivers its brief', async () => {
    await using world = await createResearchWorld(FILES)
    // The process ends after the capture is sent: neither its answer nor anything after it is seen.
    world.billing.failures.set('capture', [ANSWER_LOST, DOWN])
    world.billing.failures.set('release', [DOWN])
    await refusalOf(world.ask(QUESTION, ALICE, KEY))
    const before = await onlyJob(world)

    await restart(world)
    const brief = await world.ask(QUESTION, ALICE, KEY)

    expect(before).toMatchObject([{ state: 'interrupted' }])
    expect(brief.sentences).toHaveLength(1)
    expect(brief.calls.map(({ procedure }) => procedure)).toEqual([
      'billing.quote',
      'billing.hold',
      'billing.release',
    ])
    expect(await world.service.receipt(callBy(ALICE), { jobId: brief.jobId })).toMatchObject({
      holdId: brief.holdId,
      cost: { amountMinor: 15 },
    })
  })

  test('does not keep others from being settled when it cannot be', async () => {
    await using world = await createResearchWorld(FILES)
    world.billing.holds.set('hold-of-job-1', 'held')
    await leave(world, { quoteId: 'quote-1', holdId: 'hold-of-job-1' })
    const { jobs } = world.storage
    const later = await jobs.find('job-1')
    if (later === undefined) throw new Error('there is no job')
    const first = { ...later, jobId: 'broken', idempotencyKey: undefined }
    await jobs.begin(first, world.clock.now())
    const billing: typeof world.deps.billing = (jobId) => {
      if (jobId === 'broken') throw new Error('a bug')
      return world.deps.billing(jobId)
    }
    world.clock.advance(LEASE_SECONDS + world.deps.resumeSeconds)

    await sweepJobs({ ...world.deps, billing })

    expect(world.billing.holds.get('hold-of-job-1')).toBe('released')
  })
})

describe('while the process runs', () => {
  test('a capture whose answers are all lost is found out by asking for the release', async () => {
    await using world = await createResearchWorld(FILES)
    world.billing.failures.set('capture', [ANSWER_LOST, ANSWER_LOST])

    const brief = await world.ask(QUESTION, ALICE, KEY)

    expect(brief.sentences).toHaveLength(1)
    expect(brief.calls.map(({ outcome, procedure }) => `${procedure} ${outcome}`)).toEqual([
      'billing.quote ok',
      'billing.hold ok',
      'billing.capture network_error',
      'billing.capture network_error',
      'billing.release hold_captured',
    ])
  })

  test('a brief is not delivered when its hold was released by another hand before the capture', async () => {
    // Attack: working on after the grant was revoked and its holds were given back, unpaid.
    await using world = await createResearchWorld(FILES)
    const { billing } = world.deps
    const revoked: typeof billing = (jobId) => {
      const job = billing(jobId)
      return {
        ...job,
        capture: async (holdId, amountMinor) => {
          world.billing.holds.set(`hold-of-${jobId}`, 'released')
          return job.capture(holdId, amountMinor)
        },
        release: async (holdId) => {
          const before = world.billing.holds.get(`hold-of-${jobId}`)
          if (before !== 'released') return job.release(holdId)
          return refuse({ kind: 'refused', reason: 'hold_released', message: '', hint: '' })
        },
      }
    }
    const service = createResearchService({ ...world.deps, billing: revoked })

    const refused = await refusalOf(
      service.answer(callBy(ALICE), { question: QUESTION, maxSentences: 5, idempotencyKey: KEY }),
    )

    expect(refused).toMatchObject({
      reason: 'billing_refused',
      message: expect.stringContaining('hold_released') as string,
    })
    expect(await world.storage.jobs.listUnsettled(world.clock.now())).toEqual([])
  })

  test('a hold whose answer is lost is not left held', async () => {
    await using world = await createResearchWorld(FILES)
    world.billing.failures.set('hold', [ANSWER_LOST])

    const refused = await refusalOf(world.ask(QUESTION))

    expect(refused.reason).toBe('billing_unavailable')
    expect([...world.billing.holds.values()]).toEqual(['released'])
  })

  test('a repeated call delivers what billing’s absence left open', async () => {
    await using world = await createResearchWorld(FILES)
    world.billing.failures.set('capture', [ANSWER_LOST, DOWN])
    world.billing.failures.set('release', [DOWN])

    const first = await refusalOf(world.ask(QUESTION, ALICE, KEY))
    const brief = await world.ask(QUESTION, ALICE, KEY)

    expect(first.reason).toBe('billing_unavailable')
    expect(brief.sentences).toHaveLength(1)
    expect([...world.billing.holds.values()]).toEqual(['captured'])
    expect(await onlyJob(world)).toMatchObject([{ jobId: brief.jobId, state: 'completed' }])
  })

  test('a repeated call pays for what was found, and is not worked on twice', async () => {
    await using world = await createResearchWorld(FILES)
    world.billing.failures.set('capture', [DOWN, DOWN])
    world.billing.failures.set('release', [DOWN])

    await refusalOf(world.ask(QUESTION, ALICE, KEY))
    const brief = await world.ask(QUESTION, ALICE, KEY)

    expect([...world.billing.holds.values()]).toEqual(['captured'])
    expect(world.billing.acts.filter((act) => act.startsWith('quote'))).toHaveLength(1)
    expect(await onlyJob(world)).toMatchObject([{ jobId: brief.jobId, state: 'completed' }])
  })

  test('a repeated call waits for billing when that is still away', async () => {
    await using world = await createResearchWorld(FILES)
    world.billing.failures.set('capture', [DOWN, DOWN, DOWN, DOWN])
    world.billing.failures.set('release', [DOWN, DOWN])

    await refusalOf(world.ask(QUESTION, ALICE, KEY))
    const second = await refusalOf(world.ask(QUESTION, ALICE, KEY))

    expect(second.reason).toBe('billing_unavailable')
    expect(await onlyJob(world)).toMatchObject([{ state: 'interrupted' }])
  })
})
