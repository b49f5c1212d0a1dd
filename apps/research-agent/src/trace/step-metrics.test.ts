// Metrics of each step, as Prometheus reads them, and what a model cannot do to them.
import { serveMetrics } from '@deputy/serve/metrics'
import { expect, test } from 'vitest'
import { ALICE, createResearchWorld, refusalOf } from '../../test-support/research-world.ts'
import { observeJobs } from './observe-jobs.ts'
import { createScriptedPlanner } from '../../test-support/scripted-model.ts'

const FILES = { 'keys.md': '# Keys\n\nA deactivated key is refused from the next request on.\n' }
const QUESTION = 'When is a deactivated key refused?'

test('count steps, refusals, tokens, money and jobs; names that a model makes up are no labels', async () => {
  await using served = await serveMetrics({ port: 0 })
  const planner = createScriptedPlanner(
    [
      { tool: 'made_up_1', input: {} },
      { tool: 'made_up_2', input: {} },
      { tool: 'documents_search', input: { query: QUESTION } },
      'A deactivated key is refused from the next request on. [keys.md:3]\nKeys never end. [keys.md:3]',
    ],
    { input: 2, output: 10 },
  )
  await using world = await createResearchWorld(FILES, { planner: planner.planner })
  await world.ask(QUESTION)
  world.billing.failures.set('quote', [
    { kind: 'refused', reason: 'quota_spent', message: 'no', hint: '' },
  ])
  await refusalOf(world.ask(QUESTION, ALICE))
  const left = { question: QUESTION, maxSentences: 5, taskGrant: undefined, bodySha256: 'x' }
  const asker = { agentId: ALICE, subject: ALICE }
  const job = { ...left, jobId: 'left', asker, answeredBy: 'rules', askedAt: 1 }
  await world.storage.jobs.begin({ ...job, idempotencyKey: undefined }, world.clock.now())

  using _observed = observeJobs({ ...world.deps, jobs: world.storage.jobs })
  const text = await (await fetch(served.url)).text()
  const value = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1]

  expect(value(/^research_step_duration_count\{step="model",decision="pass"[^}]*\} (\d+)/m)).toBe(
    '4',
  )
  expect(
    value(
      /^research_step_duration_count\{step="tool",decision="pass",tool="documents.search"[^}]*\} (\d+)/m,
    ),
  ).toBe('1')
  expect(
    value(
      /^research_step_refusals_total\{step="policy",decision="refused",tool="unknown",reason="tool_not_available"[^}]*\} (\d+)/m,
    ),
  ).toBe('2')
  expect(value(/^research_model_tokens_total\{direction="input"[^}]*\} (\d+)/m)).toBe('400')
  expect(value(/^research_model_tokens_total\{direction="output"[^}]*\} (\d+)/m)).toBe('80')
  expect(value(/^research_model_cost_total(?:\{[^}]*\})? (\d+)/m)).toBe('1600')
  expect(value(/^research_jobs_total\{outcome="completed"[^}]*\} (\d+)/m)).toBe('1')
  expect(value(/^research_jobs_total\{outcome="failed"[^}]*\} (\d+)/m)).toBe('1')
  const sentences = (labels: string): string | undefined =>
    value(new RegExp(`^research_sentences_total\\{${labels}[^}]*\\} (\\d+)`, 'm'))
  expect(sentences('outcome="supported"')).toBe('1')
  expect(sentences('outcome="dropped",reason="not_supported"')).toBe('1')
  expect(value(/^research_jobs_running(?:\{[^}]*\})? (\d+)/m)).toBe('0')
  expect(value(/^research_jobs_unsettled\{state="interrupted"[^}]*\} (\d+)/m)).toBe('1')
  expect(text).not.toMatch(/made_up|keys\.md|agent-alice/)
})
