// A model behind an OpenAI-compatible URL, over real HTTP, with everything that such a server does: also what it should
// not. The key goes to it and nowhere else.
import { TraceStep } from '@deputy/contracts/trace'
import { describe, expect, test } from 'vitest'
import { answerIn, type AnswerInOptions } from '../../test-support/answer-in.ts'
import {
  calls,
  fails,
  says,
  startFakeModelServer,
  type FakeAnswer,
} from '../../test-support/fake-model-server.ts'
import { createResearchWorld, refusalOf } from '../../test-support/research-world.ts'
import { openPlanner } from './open-planner.ts'

const KEY = 'model-key-that-nobody-sees-4711'
const FILES = { 'keys.md': '# Keys\n\nA deactivated key is refused from the next request on.\n' }
const QUESTION = 'When is a deactivated key refused?'
const SENTENCE = 'A deactivated key is refused from the next request on.'
const GOOD = says(`${SENTENCE} [keys.md:3]`)
const SEARCH = calls({ tool: 'documents_search', input: { query: QUESTION } })
const QUOTE = calls({
  tool: 'documents_quote',
  input: { citations: [{ file: 'keys.md', startLine: 3, endLine: 3 }] },
})

async function run(answers: readonly FakeAnswer[], options: AnswerInOptions = {}) {
  await using world = await createResearchWorld(FILES)
  await using server = await startFakeModelServer(answers)
  const planner = openPlanner({
    url: server.url,
    name: 'fake-1',
    apiKey: KEY,
    inputPrice: 3,
    outputPrice: 15,
  })
  const answer = await answerIn(world, QUESTION, { planner, ...options }).catch(
    (error: unknown) => ({ error }),
  )
  return { answer, requests: [...server.requests] }
}

async function succeed(answers: readonly FakeAnswer[], options: AnswerInOptions = {}) {
  const { answer, requests } = await run(answers, options)
  if ('error' in answer) throw answer.error
  return { ...answer, requests }
}

test('calls tools, reads what they answer, and is paid for by what it counts', async () => {
  const { requests, sentences, steps } = await succeed([SEARCH, GOOD])

  expect(sentences.map(({ text }) => text)).toEqual([SENTENCE])
  expect(requests.map(({ url }) => url)).toEqual(['/v1/chat/completions', '/v1/chat/completions'])
  expect(requests.map(({ headers }) => headers.authorization)).toEqual([
    `Bearer ${KEY}`,
    `Bearer ${KEY}`,
  ])
  expect(requests[1]?.body).toContain(SENTENCE)
  expect(steps.filter(({ kind }) => kind === 'model')).toMatchObject([
    { inputTokens: 200, outputTokens: 30, costMicros: 200 * 3 + 30 * 15 },
    { inputTokens: 200, outputTokens: 30, costMicros: 1050 },
  ])
})

test('that does not count is counted for: the bound on tokens holds for it too', async () => {
  // Seen to fail: without `usage` every step was free, and the loop went on to the bound on steps.
  let turn = 0
  const uncounted: FakeAnswer = (response, request) => {
    turn += 1
    const call = {
      id: `call_${String(turn)}`,
      type: 'function',
      function: { name: 'documents_search', arguments: `{"query":"key ${String(turn)}"}` },
    }
    const message = { role: 'assistant', content: 'word '.repeat(300), tool_calls: [call] }
    if (request.body !== '') {
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'tool_calls' }] }),
      )
    }
  }

  const { answer } = await run([uncounted], { limits: { maxTokens: 4000, maxSteps: 50 } })

  const refused = await refusalOf(Promise.reject('error' in answer ? answer.error : undefined))
  expect(refused.message).toBe('The work was stopped (max_tokens) before anything was quoted')
  expect(turn).toBeLessThan(10)
})

test.each([
  ['nothing', {}],
  ['null', { prompt_tokens: null, completion_tokens: null }],
  ['zero', { prompt_tokens: 0, completion_tokens: 0 }],
  ['less than nothing', { prompt_tokens: -100_000, completion_tokens: -7 }],
  ['parts of tokens', { prompt_tokens: 0.5, completion_tokens: 1.5 }],
])('that counts %s is counted for as well', async (_, usage) => {
  // Attack: a provider whose count gives room for more steps, or is no count, so that no trace of the job can be read.
  const { requests, steps } = await succeed([says(`${SENTENCE} [keys.md:3]`, usage)])

  const step = steps.find(({ kind }) => kind === 'model')
  expect(TraceStep.parse(step)).toEqual(step)
  // With the instructions and the schemas of the tools, which are sent each time.
  expect(step?.inputTokens).toBeGreaterThan((requests[0]?.body.length ?? Infinity) / 4)
  expect(step?.outputTokens).toBeGreaterThan(10)
})

test('is not asked when what it would be sent is beyond the bound', async () => {
  const { answer, requests } = await run([GOOD], { limits: { maxTokens: 800 } })

  const refused = await refusalOf(Promise.reject('error' in answer ? answer.error : undefined))
  expect(refused.message).toBe('The work was stopped (max_tokens) before anything was quoted')
  expect(requests).toEqual([])
})

test('that thinks before it speaks is counted for what it thought', async () => {
  const message = { role: 'assistant', content: `${SENTENCE} [keys.md:3]` }
  const thinks: FakeAnswer = (response) => {
    response.setHeader('content-type', 'application/json')
    const thought = { ...message, reasoning_content: 'Well. '.repeat(500) }
    response.end(
      JSON.stringify({ choices: [{ index: 0, message: thought, finish_reason: 'stop' }] }),
    )
  }

  const { steps } = await succeed([thinks])

  expect(steps.find(({ kind }) => kind === 'model')?.outputTokens).toBeGreaterThan(1000)
})

test('never costs more than the bound, whatever it writes: what it may write is told to it', async () => {
  const { notes, requests, steps } = await succeed([QUOTE, SEARCH, SEARCH], {
    limits: { maxCostMicros: 4000 },
  })

  const cost = steps.reduce((total, step) => total + (step.costMicros ?? 0), 0)
  expect(notes).toEqual([{ kind: 'stopped_early', reason: 'max_cost' }])
  expect(cost).toBeLessThanOrEqual(4000)
  for (const { body } of requests) expect(body).toMatch(/"max_tokens":\d{1,3}[,}]/)
})

describe('that is busy or broken for a moment', () => {
  test.each([429, 500, 503])('with %d is asked again', async (status) => {
    const { requests, sentences } = await succeed([fails(status), fails(status), SEARCH, GOOD])

    expect(sentences).toHaveLength(1)
    expect(requests).toHaveLength(4)
  })
})

describe('that cannot be had is refused, and nothing of the key or the answer is told:', () => {
  const endless: FakeAnswer = (response) => {
    response.setHeader('content-type', 'application/json')
    const write = (): void => {
      while (!response.destroyed && response.write(' '.repeat(65_536)));
    }
    response.on('drain', write)
    write()
  }
  const redirects: FakeAnswer = (response) => {
    response.writeHead(307, { location: 'http://127.0.0.1:9/mallory' })
    response.end()
  }
  test.each<[string, FakeAnswer, RegExp]>([
    ['for ever busy', fails(429), /status 429/],
    ['for ever broken', fails(500), /status 500/],
    [
      'a key that it does not know',
      fails(401, `{"error":{"message":"bad key ${KEY}"}}`),
      /status 401/,
    ],
    ['garbage', (response) => void response.end('<html>not JSON</html>'), /did not answer/],
    ['JSON of another kind', (response) => void response.end('{"hello":[]}'), /did not answer/],
    ['no choice', (response) => void response.end('{"choices":[]}'), /did not answer/],
    ['an answer without end', endless, /did not answer/],
    ['a redirect, which would take the key along', redirects, /status 307/],
  ])('%s', async (_, answer, message) => {
    const { answer: ended } = await run([answer], { limits: { maxModelSeconds: 20 } })

    if (!('error' in ended)) throw new Error('it was answered')
    const refused = await refusalOf(Promise.reject(ended.error))
    expect(refused.reason).toBe('model_unavailable')
    expect(refused.message).toMatch(message)
    expect(JSON.stringify(refused) + String((ended.error as Error).cause)).not.toContain(KEY)
  })

  test('silence, after the time that an answer may take', async () => {
    const { answer } = await run([() => undefined], { limits: { maxModelSeconds: 0.05 } })

    const refused = await refusalOf(Promise.reject('error' in answer ? answer.error : undefined))
    expect(refused).toMatchObject({
      reason: 'model_unavailable',
      message: 'The model did not answer (not within 1 seconds)',
    })
  })
})

describe('that answers nonsense', () => {
  test.each([
    ['a tool that is not there', calls({ tool: 'shell', input: {} }), 'tool_not_available'],
    [
      'arguments that are no JSON',
      calls({ tool: 'documents_search', input: '{"query": ' }),
      'tool_input_invalid',
    ],
    [
      'arguments of another shape',
      calls({ tool: 'documents_search', input: [1] }),
      'tool_input_invalid',
    ],
  ])('as %s is told so, and the work goes on', async (_, nonsense, reason) => {
    const { sentences, steps } = await succeed([nonsense, SEARCH, GOOD])

    expect(steps.find(({ kind }) => kind === 'policy')).toMatchObject({
      decision: 'refused',
      reason,
    })
    expect(sentences).toHaveLength(1)
  })

  test('as a thousand calls at once has sixteen looked at', async () => {
    // Attack: a step that costs one answer, and fills the trace and the disk.
    const wanted = Array.from({ length: 1000 }, (_, at) => ({
      tool: 'documents_search',
      input: { query: `key ${String(at)}` },
    }))

    const { steps } = await succeed([calls(...wanted), GOOD])

    expect(steps.filter(({ kind }) => kind === 'policy')).toHaveLength(16)
  })
})
