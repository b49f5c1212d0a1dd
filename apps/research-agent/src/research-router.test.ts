// The service behind the contract's router, over real HTTP: what callers of research see.
import { Brief, ConversationPage, createResearchRouter, Receipt } from '@deputy/contracts/research'
import { createLogger, serveAgent } from '@deputy/serve'
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bearer, callTrpc } from '../../../test/support/call-trpc.ts'
import { createFakeAuthenticator } from '../test-support/fake-authenticator.ts'
import { ALICE, BILLING, BOB, createResearchWorld } from '../test-support/research-world.ts'

const FILES = { 'keys.md': '# Keys\n\nA deactivated key is refused from the next request on.\n' }
const QUESTION = 'When is a deactivated key refused?'
const SCOPES = ['research:read', 'research:write', 'conversations:read']
const CALLERS = {
  alice: { agentId: ALICE, scopes: SCOPES },
  bob: { agentId: BOB, scopes: SCOPES },
  billing: { agentId: BILLING, scopes: ['research:read'] },
}

async function startResearch(files: Record<string, string> = FILES) {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await createResearchWorld(files))
  const log: string[] = []
  const agent = stack.use(
    await serveAgent({
      agentId: 'agent-research-v1',
      router: createResearchRouter(world.service),
      authenticator: createFakeAuthenticator(CALLERS),
      issuer: 'https://issuer.example',
      port: 0,
      logger: createLogger({
        name: 'research',
        level: 'trace',
        write: (line) => void log.push(line),
      }),
    }),
  )
  const resources = stack.move()
  return {
    ...world,
    post: async (caller: keyof typeof CALLERS, input: unknown) =>
      callTrpc(agent.url, 'research.answer', { method: 'POST', input, headers: bearer(caller) }),
    get: async (caller: keyof typeof CALLERS, procedure: string, input?: unknown) =>
      callTrpc(agent.url, procedure, { input, headers: bearer(caller) }),
    log: () => log.join(''),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

/** An error with nothing in it that differs from call to call. */
const withoutIds = (text: string, jobId: string): string =>
  text.replaceAll(jobId, 'job').replace(/"correlationId":"[^"]+"/, '')

test('a question is answered, its receipt is proof of that answer, and the asker finds it again', async () => {
  await using research = await startResearch()

  const asked = await research.post('alice', { question: `  ${QUESTION}  ` })
  const brief = Brief.parse(asked.data())
  const { holdId, jobId } = brief
  const receipt = await research.get('billing', 'research.receipt', { jobId, holdId })
  const list = await research.get('alice', 'conversations.list')

  expect([asked.status, receipt.status, list.status]).toEqual([200, 200, 200])
  expect(brief).toMatchObject({
    question: QUESTION,
    sentences: [
      {
        text: 'A deactivated key is refused from the next request on.',
        citation: { file: 'keys.md', startLine: 3, endLine: 3 },
      },
    ],
    cost: { amountMinor: 15, currency: 'USD' },
  })
  expect(Receipt.parse(receipt.data())).toEqual({
    jobId: brief.jobId,
    holdId: brief.holdId,
    cost: brief.cost,
    sentences: 1,
    documents: [
      { file: 'keys.md', sha256: createHash('sha256').update(FILES['keys.md']).digest('hex') },
    ],
    briefSha256: createHash('sha256').update(JSON.stringify(brief.sentences)).digest('hex'),
    completedAt: brief.completedAt,
  })
  expect(ConversationPage.parse(list.data()).conversations).toMatchObject([
    { jobId: brief.jobId, question: QUESTION, state: 'completed', sentences: 1 },
  ])
})

test('bob sees neither alice’s receipts nor her conversations', async () => {
  await using research = await startResearch()
  const { jobId } = Brief.parse((await research.post('alice', { question: QUESTION })).data())

  const receipt = await research.get('bob', 'research.receipt', { jobId })
  const unknown = await research.get('bob', 'research.receipt', { jobId: 'no-such-job' })
  const list = await research.get('bob', 'conversations.list')

  expect([receipt.status, unknown.status]).toEqual([404, 404])
  expect(withoutIds(receipt.text, jobId)).toBe(withoutIds(unknown.text, 'no-such-job'))
  expect(list.data()).toEqual({ conversations: [] })
})

test('billing gets the receipt of what the hold that it names has paid for, and of nothing else', async () => {
  // Attack: mallory places a hold whose reference is the id of alice's job, and has billing fetch the evidence.
  await using research = await startResearch()
  const { jobId } = Brief.parse((await research.post('alice', { question: QUESTION })).data())

  const attempts = [
    await research.get('billing', 'research.receipt', { jobId, holdId: 'hold-of-mallory' }),
    await research.get('billing', 'research.receipt', { jobId }),
    await research.get('bob', 'research.receipt', { jobId, holdId: `hold-of-${jobId}` }),
  ]
  const own = await research.get('alice', 'research.receipt', { jobId })

  expect(attempts.map(({ status }) => status)).toEqual([404, 404, 404])
  expect(own.status).toBe(200)
})

describe('a question is refused', () => {
  test.each([
    ['that is empty', { question: '   ' }],
    ['that is too long', { question: 'x'.repeat(501) }],
    ['for no sentences', { question: QUESTION, maxSentences: 0 }],
    ['for too many sentences', { question: QUESTION, maxSentences: 13 }],
  ])('%s, before anything is paid', async (_, input) => {
    await using research = await startResearch()

    const refused = await research.post('alice', input)

    expect([refused.status, refused.error().data['reason']]).toEqual([400, 'input_invalid'])
    expect(research.billing.acts).toEqual([])
  })

  test('from a caller without the scope, which is named', async () => {
    await using research = await startResearch()

    const refused = await research.post('billing', { question: QUESTION })

    expect([refused.status, refused.error().data['reason']]).toEqual([403, 'scope_missing'])
    expect(refused.error().message).toContain('research:write')
  })

  test('that nothing answers, with what to do about it', async () => {
    await using research = await startResearch()

    const refused = await research.post('alice', { question: 'Which zebras migrate?' })

    expect(refused.status).toBe(404)
    expect(refused.error()).toMatchObject({
      message: 'Nothing in 1 documents answers this question',
      data: {
        reason: 'no_answer_found',
        hint: 'Nothing was charged. Ask in the words that the documents use.',
      },
    })
  })

  test('while there are no documents, naming the folder', async () => {
    await using research = await startResearch({})

    const refused = await research.post('alice', { question: QUESTION })

    expect([refused.status, refused.error().data['reason']]).toEqual([503, 'documents_unavailable'])
    expect(refused.error().message).toContain(research.documents)
    expect(research.billing.acts).toEqual([])
  })

  test.each([
    '"',
    'a" OR "b',
    'NEAR(a b) AND NOT c* ^d -e {f g}: h',
    'question: \u0000 \uFFFF \u202E',
    '!"§$%&/()=?`´*+~#\'<>|@€^°'.repeat(20).slice(0, 500),
    '🦓'.repeat(250),
  ])('for want of an answer only, however hostile: %j', async (question) => {
    await using research = await startResearch()

    const refused = await research.post('alice', { question })

    expect([refused.status, refused.error().data['reason']]).toEqual([404, 'no_answer_found'])
    expect([...research.billing.holds.values()]).toEqual(['released'])
  })
})
