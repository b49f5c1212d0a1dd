// Two processes of research share a database. One is stopped (SIGSTOP), or killed, in the middle of a job, and the other one
// takes the job up. The first one, resumed, must not write: neither to the job, nor to its trace, nor to the ledger.
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import {
  calls,
  says,
  startFakeModelServer,
} from '../../apps/research-agent/test-support/fake-model-server.ts'
import { startMain } from '../../apps/research-agent/test-support/main-process.ts'
import { findFreePort } from '../support/find-free-port.ts'
import { createResearchPlace, DEPOSIT_MINOR } from '../support/research-place.ts'

const TIMEOUT_MS = 120_000
const FACT = 'A deactivated key is refused from the next request on.'
const INPUT = { question: 'When is a deactivated key refused?', idempotencyKey: 'the-one-key' }

/** A model that searches, and then is silent until it is told to speak. */
async function startSilentModel() {
  const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>()
  const { promise: told, resolve: speak } = Promise.withResolvers<void>()
  const answer = says(`${FACT} [keys.md:3]`)
  const server = await startFakeModelServer([
    calls({ tool: 'documents_search', input: { query: 'deactivated key refused' } }),
    (response, request) => {
      wasAsked()
      void told.then(() => answer(response, request))
    },
    answer,
  ])
  return { ...server, asked, speak }
}

/** Two processes of research that serve, and alice's client of each. */
async function setUp() {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await createResearchPlace({ 'keys.md': `# Keys\n\n${FACT}\n` }))
  const model = stack.use(await startSilentModel())
  const start = async () => {
    const port = await findFreePort()
    const main = stack.use(
      startMain({
        ...place.environment,
        PORT: String(port),
        DEPUTY_BILLING_URL: place.billingUrl,
        DEPUTY_MODEL_URL: model.url,
        DEPUTY_MODEL_NAME: 'fake',
        DEPUTY_RESEARCH_LEASE_SECONDS: '2',
      }),
    )
    await main.whenReady()
    return { main, client: place.openResearch(port) }
  }
  const [one, other] = [await start(), await start()]
  const database = stack.adopt(new DatabaseSync(place.databaseFile), (open) => open.close())
  database.exec('pragma busy_timeout = 10000')
  const resources = stack.move()
  return {
    one,
    other,
    model,
    balance: place.balance,
    /** Acts while nobody else can be in the middle of writing: a process that is stopped then holds no lock. */
    whileNobodyWrites: (act: () => void): void => {
      database.exec('begin immediate')
      act()
      database.exec('rollback')
    },
    /** All that is kept of jobs. */
    readJobs: () => [
      database.prepare('select * from job order by id').all(),
      database.prepare('select * from trace_step order by job_id, sequence').all(),
    ],
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

type Side = Awaited<ReturnType<typeof setUp>>['one']

/** The steps and the brief that a process of research sends for the question. */
async function ask({ client }: Side): Promise<{ kinds: string[]; sentences: string[] }> {
  const kinds: string[] = []
  const sentences: string[] = []
  await new Promise<void>((resolve, reject) => {
    client.research.ask.subscribe(INPUT, {
      onData: ({ data }) => {
        kinds.push(data.type === 'step' ? data.step.kind : data.type)
        if (data.type === 'brief') sentences.push(...data.brief.sentences.map(({ text }) => text))
      },
      onError: reject,
      onComplete: () => resolve(),
    })
  })
  return { kinds, sentences }
}

describe('a job of two processes', () => {
  test(
    'is left alone by the one that was stopped, once the other one took it up',
    { timeout: TIMEOUT_MS },
    async () => {
      // Attack on the money and on the record: a process wakes up that believes the job to be its own.
      await using world = await setUp()
      const { balance, model, one, other, readJobs, whileNobodyWrites } = world
      const first = ask(one)
      await model.asked
      whileNobodyWrites(() => one.main.kill('SIGSTOP'))
      const second = await ask(other)
      const kept = { jobs: readJobs(), balance: await balance() }

      // What it waited for is there now, as if nothing had happened.
      model.speak()
      one.main.kill('SIGCONT')
      const late = await first

      expect(second.sentences).toEqual([FACT])
      expect(late.sentences).toEqual([FACT])
      expect(late.kinds).toEqual(second.kinds)
      expect(second.kinds.filter((kind) => kind === 'resume')).toHaveLength(1)
      expect({ jobs: readJobs(), balance: await balance() }).toEqual(kept)
      expect(kept.balance).toMatchObject({ availableMinor: DEPOSIT_MINOR - 15, heldMinor: 0 })
    },
  )

  test(
    'goes on in the other one when the first is killed, and is paid for once',
    { timeout: TIMEOUT_MS },
    async () => {
      await using world = await setUp()
      const { balance, model, one, other } = world
      // Its asker's client goes on looking for it.
      void ask(one)
      await model.asked
      await one.main[Symbol.asyncDispose]()

      const { kinds, sentences } = await ask(other)

      expect(sentences).toEqual([FACT])
      expect(kinds.filter((kind) => kind === 'resume')).toHaveLength(1)
      expect(await balance()).toMatchObject({ availableMinor: DEPOSIT_MINOR - 15, heldMinor: 0 })
    },
  )
})
