// Research is killed (SIGKILL) while it works on a dozen jobs, each at another place, and starts again; then once more. Its
// askers, who only have their client's subscription, get every further step once and their brief; each brief is paid for once,
// and nothing is left held.
import { systemClock } from '@deputy/auth/protocol'
import { clientSecret, createAgentClient } from '@deputy/client'
import type { BillingRouter } from '@deputy/contracts/billing'
import type { AskEvent, ResearchRouter } from '@deputy/contracts/research'
import { writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { connectAdmin, enroll } from '../../apps/auth-server/test-support/admin-client.ts'
import {
  createPlace,
  readOperatorFile,
  type Client,
} from '../../apps/auth-server/test-support/auth-server.ts'
import { startMain as startAuthServer } from '../../apps/auth-server/test-support/main-process.ts'
import { startMain as startBilling } from '../../apps/billing-agent/test-support/main-process.ts'
import {
  calls,
  says,
  startFakeModelServer,
  type FakeAnswer,
} from '../../apps/research-agent/test-support/fake-model-server.ts'
import { startMain as startResearch } from '../../apps/research-agent/test-support/main-process.ts'
import { writeFiles } from '../support/documents.ts'
import { findFreePort } from '../support/find-free-port.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const BILLING = 'agent-billing-v2'
const RESEARCH = 'agent-research-v1'
const DEPOSIT_MINOR = 100_000
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
    const folder = stack.use(await createTemporaryFolder())
    await writeFiles(folder.file('documents'), { 'keys.md': `# Keys\n\n${FACT}\n` })
    const place = await createPlace(folder.path)
    const auth = stack.use(
      startAuthServer(place, {
        DEPUTY_RATE_LIMIT_TIERS: '{"standard":null}',
        DEPUTY_LOG_LEVEL: 'info',
      }),
    )
    await auth.whenReady()
    const { issuer } = auth
    const operatorFile = await readOperatorFile(place.operatorFile)
    const operator = { id: operatorFile.client_id, secret: operatorFile.client_secret }
    const admin = stack.use(connectAdmin({ issuer, operator, clock: systemClock }))
    const billingClient = await enroll(admin, BILLING, {
      scopesSupported: ['billing:read', 'billing:write', 'billing:deposit'],
    })
    const researchClient = await enroll(admin, RESEARCH, {
      scopes: ['billing:read', 'billing:write'],
      audiences: [BILLING, RESEARCH],
      scopesSupported: ['research:read', 'research:write', 'conversations:read'],
    })
    const alice = await enroll(admin, 'agent-alice', {
      scopes: ['research:read', 'research:write'],
      audiences: [RESEARCH],
    })
    const treasurer = await enroll(admin, 'agent-treasurer', {
      scopes: ['billing:deposit', 'billing:read'],
      audiences: [BILLING],
    })
    const writeCredentials = async (client: Client): Promise<string> => {
      const file = folder.file(`${client.id}.json`)
      const content = { issuer, client_id: client.id, client_secret: client.secret, scope: '' }
      await writeFile(file, JSON.stringify(content))
      return file
    }
    const credentialsOf = (client: Client) =>
      clientSecret({ issuer, clientId: client.id, clientSecret: client.secret })

    const billingPort = await findFreePort()
    const billing = stack.use(
      startBilling({
        PORT: String(billingPort),
        DEPUTY_CREDENTIALS_FILE: await writeCredentials(billingClient),
        DEPUTY_DATABASE_FILE: folder.file('billing.sqlite'),
        DEPUTY_RATE_LIMIT_TIERS: '{"standard":null}',
      }),
    )
    await billing.whenReady()
    const open = (client: Client) =>
      stack.use(
        createAgentClient<BillingRouter>({
          url: url(billingPort),
          audience: BILLING,
          scopes: [],
          credentials: credentialsOf(client),
        }),
      )
    await open(treasurer).billing.deposit.mutate({
      account: RESEARCH,
      amount: { amountMinor: DEPOSIT_MINOR, currency: 'USD' },
      idempotencyKey: 'opening-deposit',
    })

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
    const lossy = stack.use(await startLossyBilling(url(billingPort)))
    const researchPort = await findFreePort()
    const environment = {
      PORT: String(researchPort),
      DEPUTY_CREDENTIALS_FILE: await writeCredentials(researchClient),
      DEPUTY_DATABASE_FILE: folder.file('research.sqlite'),
      DEPUTY_DOCUMENTS: folder.file('documents'),
      DEPUTY_BILLING_URL: lossy.url,
      DEPUTY_MODEL_URL: model.url,
      DEPUTY_MODEL_NAME: 'fake',
      DEPUTY_RATE_LIMIT_TIERS: '{"standard":null}',
    }
    let research = startResearch(environment)
    await research.whenReady()
    const asker = stack.use(
      createAgentClient<ResearchRouter>({
        url: url(researchPort),
        audience: RESEARCH,
        scopes: [],
        credentials: credentialsOf(alice),
      }),
    )
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
    const balance = await open(researchClient).billing.balance.query({ currency: 'USD' })
    expect(balance).toMatchObject({
      availableMinor: DEPOSIT_MINOR - costs.reduce((sum, cost) => sum + cost, 0),
      heldMinor: 0,
    })
  },
)
