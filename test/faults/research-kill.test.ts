// Research is killed (SIGKILL) while it works on a dozen jobs, each at another place, and starts again; then once more. Its
// askers, who only have their client's subscription, get every further step once and their brief; each brief is paid for once,
// and nothing is left held.
import type { AskEvent } from '@deputy/contracts/research'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import {
  calls,
  says,
  startFakeModelServer,
  type FakeAnswer,
} from '../../apps/research-agent/test-support/fake-model-server.ts'
import { startMain as startResearch } from '../../apps/research-agent/test-support/main-process.ts'
import { findFreePort } from '../support/find-free-port.ts'
import { createResearchPlace, DEPOSIT_MINOR } from '../support/research-place.ts'

const JOBS = 12
const KILLS = 2

/** Before which turn of the model a job stands still in the first life of research, and in its second. The last one never does. */
const STOPS: readonly (readonly [number, number])[] = [
  [1, 1],
  [1, 2],
  [1, 3],
  [2, 2],
  [2, 3],
  [9, 9],
]

const FACT = 'A deactivated key is refused from the next request on.'
const url = (port: number): string => `http://127.0.0.1:${String(port)}`

/** A model that searches, reads and answers; it says nothing to a job that is to stand still. */
function createModel(lifeOf: () => number, onStill: () => void): FakeAnswer {
  return (response, seen) => {
    const job = Number(/job (\d+)/.exec(seen.body)?.[1])
    const turn = seen.body.split('"role":"assistant"').length
    const stop = STOPS[job % STOPS.length]?.[lifeOf()]
    if (stop !== undefined && turn >= stop) {
      onStill()
      return
    }
    const turns = [
      calls({ tool: 'documents_search', input: { query: 'deactivated key refused' } }),
      calls({ tool: 'documents_quote', input: { file: 'keys.md', startLine: 3, endLine: 3 } }),
      says(`${FACT} [keys.md:3]`),
    ]
    turns[turn - 1]?.(response, seen)
  }
}

/** Passes calls on to billing; the answers to captures get lost while `isLosing`. */
async function startLossyBilling(target: string) {
  const state = { isLosing: true, lost: 0 }
  async function pass(
    { headers: sent, method = 'GET', url: path = '/' }: IncomingMessage,
    body: Buffer,
  ) {
    const headers = new Headers()
    for (const [name, value] of Object.entries(sent)) {
      if (typeof value === 'string' && !['connection', 'content-length'].includes(name)) {
        headers.set(name, value)
      }
    }
    const answer = await fetch(`${target}${path}`, {
      method,
      headers,
      body: method === 'GET' ? null : new Uint8Array(body),
    })
    const text = await answer.text()
    if (!state.isLosing || !path.includes('billing.capture')) return { status: answer.status, text }
    // Several go in one request.
    state.lost += path.split('billing.capture').length - 1
    return undefined
  }
  async function answer(request: IncomingMessage, body: Buffer, response: ServerResponse) {
    try {
      const passed = await pass(request, body)
      if (passed === undefined) return
      response.writeHead(passed.status, { 'content-type': 'application/json' }).end(passed.text)
    } catch {
      response.destroy()
    }
  }
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      void answer(request, Buffer.concat(parts), response)
    })
  })
  const port = await findFreePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: url(port),
    state,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test(
  'killed in the middle of jobs, research goes on with each when it is back, and takes its money once',
  {
    timeout: 180_000,
  },
  async () => {
    await using stack = new AsyncDisposableStack()
    const place = stack.use(await createResearchPlace({ 'keys.md': `# Keys\n\n${FACT}\n` }))
    let life = 0
    let still = 0
    const model = stack.use(
      await startFakeModelServer([
        createModel(
          () => life,
          () => (still += 1),
        ),
      ]),
    )
    const lossy = stack.use(await startLossyBilling(place.billingUrl))
    const researchPort = await findFreePort()
    const environment = {
      ...place.environment,
      PORT: String(researchPort),
      DEPUTY_BILLING_URL: lossy.url,
      DEPUTY_MODEL_URL: model.url,
      DEPUTY_MODEL_NAME: 'fake',
    }
    let research = startResearch(environment)
    await research.whenReady()
    const asker = place.openResearch(researchPort)
    const ask = async (job: number): Promise<{ ids: string[]; events: AskEvent[] }> =>
      new Promise((resolve, reject) => {
        const ids: string[] = []
        const events: AskEvent[] = []
        asker.research.ask.subscribe(
          { question: `When is a deactivated key refused, in job ${String(job)}?` },
          {
            onData: ({ data, id }) => {
              ids.push(id)
              events.push(data)
            },
            onError: reject,
            onComplete: () => resolve({ ids, events }),
          },
        )
      })

    const asked = Array.from({ length: JOBS }, async (_, job) => ask(job))
    // No job may end before research is left alone.
    const ended = Promise.race(asked).then(() => {
      throw new Error('a job ended that was to stand still')
    })
    ended.catch(() => undefined)
    for (let kill = 0; kill < KILLS; kill += 1) {
      // All stand still, but for the last of each six, whose capture is carried out and not answered.
      while (still + lossy.state.lost < JOBS) await Promise.race([ended, new Promise(setImmediate)])
      await research[Symbol.asyncDispose]()
      life += 1
      still = 0
      lossy.state.lost = 0
      research = startResearch(environment)
      await research.whenReady()
    }
    lossy.state.isLosing = false
    stack.defer(async () => research[Symbol.asyncDispose]())
    const answers = await Promise.all(asked)

    for (const { events, ids } of answers) {
      const sequences = ids.map((id) => Number(id.split(':')[1]))
      expect(sequences).toEqual(sequences.map((_, at) => at + 1))
      const last = events.at(-1)
      expect(last?.type === 'brief' && last.brief.sentences.map(({ text }) => text)).toEqual([FACT])
      const billed = events.flatMap((event) =>
        event.type === 'step' && event.step.kind === 'billing' && event.step.decision === 'pass'
          ? [event.step.tool]
          : [],
      )
      expect(billed.slice(0, 2)).toEqual(['billing.quote', 'billing.hold'])
      expect(
        events.filter((event) => event.type === 'step' && event.step.kind === 'resume'),
      ).not.toEqual([])
    }
    const costs = answers.map(({ events }) => {
      const last = events.at(-1)
      return last?.type === 'brief' ? last.brief.cost.amountMinor : Number.NaN
    })
    expect(await place.balance()).toMatchObject({
      availableMinor: DEPOSIT_MINOR - costs.reduce((sum, cost) => sum + cost, 0),
      heldMinor: 0,
    })
  },
)
