// What a person runs: the demo as a process, with real servers as processes of their own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createTemporaryFolder } from '../support/temporary-folder.ts'
import { DOCUMENTS, writeFiles } from '../support/documents.ts'

const main = fileURLToPath(new URL('../../apps/demo/src/main.ts', import.meta.url))
const QUESTION = 'How are signing keys rotated?'
const TIMEOUT = { timeout: 60_000 }

const Event = z.looseObject({ type: z.string() })

async function start(...args: string[]) {
  const folder = await createTemporaryFolder()
  await writeFiles(folder.file('documents'), DOCUMENTS)
  const child = spawn(
    process.execPath,
    [
      '--conditions=@deputy/source',
      main,
      '--documents',
      folder.file('documents'),
      '--question',
      QUESTION,
      '--state-dir',
      folder.file('state'),
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  return {
    child,
    folder,
    ended,
    stdout: () => stdout,
    stderr: () => stderr,
    events: () =>
      stdout
        .trim()
        .split('\n')
        .map((line) => Event.parse(JSON.parse(line))),
    /** Resolves when the text has been printed; rejects when the process ends before. */
    printed: async (text: string) => {
      const isThere = async (): Promise<void> => {
        while (!stdout.includes(text)) await once(child.stdout, 'data')
      }
      const tooSoon = ended.then(() => {
        throw new Error(`ended before it printed ${JSON.stringify(text)}: ${stderr}`)
      })
      await Promise.race([isThere(), tooSoon])
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM')
      await ended
      await folder[Symbol.asyncDispose]()
    },
  }
}

const FREE_PORTS = ['--auth-port', '0', '--billing-port', '0', '--research-port', '0']

describe('npm run demo', () => {
  test('does the whole job, shows it as JSON lines and ends with 0', TIMEOUT, async () => {
    await using demo = await start('--demo', '--json')

    const code = await demo.ended

    expect(demo.stderr()).toBe('')
    expect(code).toBe(0)
    const events = demo.events()
    const of = (type: string) => events.filter((event) => event.type === type)
    expect(
      of('call').map(({ from, outcome, procedure, to }) => [from, to, procedure, outcome]),
    ).toEqual([
      ['operator', 'agent-billing-v2', 'billing.deposit', 'ok'],
      ['operator', 'agent-research-v1', 'research.ask', 'ok'],
      ['agent-research-v1', 'agent-billing-v2', 'billing.quote', 'ok'],
      ['agent-research-v1', 'agent-billing-v2', 'billing.hold', 'ok'],
      ['agent-research-v1', 'agent-billing-v2', 'billing.capture', 'ok'],
      ['operator', 'agent-billing-v2', 'billing.closeStatement', 'ok'],
      ['agent-billing-v2', 'agent-research-v1', 'research.receipt', 'ok'],
      ['agent-research-v1', 'agent-billing-v2', 'billing.hold', 'budget_exceeded'],
    ])
    const steps = of('step')
    expect(steps.map(({ sequence }) => sequence)).toEqual(steps.map((_step, place) => place + 1))
    expect(steps.at(0)).toMatchObject({ kind: 'intent', decision: 'pass' })
    expect(steps.at(-1)).toMatchObject({ kind: 'outcome', decision: 'pass' })
    expect(of('usage')).toMatchObject([{ sent: 3, recorded: 2, duplicates: 1 }])
    expect(of('statement')).toMatchObject([{ usage: [{ quantity: 2 }], totalMinor: 17 }])
    expect(of('invoice')).toMatchObject([{ number: expect.stringMatching(/\d/) as unknown }])
    expect(of('refund')).toMatchObject([{ amountMinor: 10, capturedMinor: 15 }])
    expect(of('quota')).toMatchObject([{ holder: 'agent-research-v1', cap: 40, used: 17 }])
    expect(of('quotaEvent')).toMatchObject([
      { percent: 80, spent: 35 },
      { percent: 80, spent: 85 },
      { percent: 100, spent: 100 },
    ])
    expect(of('withstood').map(({ reason }) => reason)).toEqual([
      'not_obeyed',
      'quota_exceeded',
      'answered_again',
      'idempotency_conflict',
      'token_refused',
      'statement_unknown',
    ])
    // Which quota it was, and when it resets.
    expect(of('withstood')[1]).toMatchObject({
      message: expect.stringMatching(
        /^The quota [\da-f-]{36} of the grant .* resets at \d{4}-\d\d-\d\dT00:00:00Z$/,
      ) as unknown,
    })
    expect(of('verified')).toHaveLength(1)
    expect(of('journal')).toMatchObject([
      { last: expect.stringContaining('billing.refund') as unknown },
    ])
    expect(of('revert')).toMatchObject([
      { agentId: 'agent-research-v1', reversals: [{ outcome: 'refunded' }] },
    ])
    expect(of('ledger')).toMatchObject([
      { when: 'before', totalMinor: 0 },
      { when: 'after', totalMinor: 0 },
    ])
    expect(of('chain')).toMatchObject([
      {
        subjectId: 'agent-research-v1',
        hops: [
          { kind: 'credential' },
          { kind: 'task', scopes: ['billing:read', 'billing:write'] },
          {
            agentId: 'agent-research-v1',
            audiences: ['agent-research-v1'],
            dropped: [{ scope: 'billing:read', rule: 'not_requested' }],
          },
          {
            agentId: 'agent-research-v1',
            audiences: ['agent-billing-v2'],
            scopes: ['billing:write'],
          },
        ],
      },
      {
        subjectId: 'operator',
        hops: [
          { kind: 'credential' },
          { agentId: 'operator', audiences: ['agent-billing-v2'] },
          {
            agentId: 'agent-billing-v2',
            audiences: ['agent-research-v1'],
            scopes: ['research:read'],
          },
        ],
      },
    ])
    expect(of('preview')).toMatchObject([
      {
        heldMinor: 35,
        verifiers: [
          { agentId: 'agent-billing-v2', isConnected: true },
          { agentId: 'agent-research-v1', isConnected: true },
        ],
      },
    ])
    expect(
      of('noticed').map(({ agentId, reason }) => `${String(agentId)} ${String(reason)}`),
    ).toEqual(
      expect.arrayContaining(['agent-billing-v2 token_revoked', 'agent-research-v1 token_revoked']),
    )
    expect(of('released')).toMatchObject([{ amountMinor: 35, reference: 'work-in-progress' }])
    expect(of('brief')).toMatchObject([{ question: QUESTION, documentsSearched: 3 }])
    expect(of('statement')).toHaveLength(1)
    expect(of('allowed')).toHaveLength(1)
    expect(of('refused').map(({ reason, status }) => [status, reason])).toEqual([
      [401, 'credentials_missing'],
      [403, 'scope_missing'],
      [401, 'token_audience_invalid'],
      [401, 'token_signature_invalid'],
      [401, 'token_expired'],
      [401, 'api_key_invalid'],
    ])
    expect(demo.stdout()).not.toMatch(/(?:sk|cs)-agent-|eyJ/)
  })

  test('ends with 1 and says why when the question has no answer', TIMEOUT, async () => {
    await using demo = await start('--demo', '--question', 'Which zebras migrate in winter?')

    expect(await demo.ended).toBe(1)
    expect(demo.stdout()).toContain('no_answer_found')
    expect(demo.stderr()).toBe('deputy: The question was not answered.\n')
  })
})

describe('npm start', () => {
  test('stays up with its state in one folder, and finds it again', TIMEOUT, async () => {
    await using first = await start(...FREE_PORTS)
    await first.printed('Ctrl-C ends it')
    const state = first.folder.file('state')
    const endpoints = z
      .object({ issuer: z.url(), agents: z.record(z.string(), z.url()) })
      .parse(JSON.parse(await readFile(`${state}/endpoints.json`, 'utf8')))
    const health = await fetch(`${endpoints.issuer}/readyz`)
    first.child.kill('SIGINT')

    expect(health.status).toBe(200)
    expect(await first.ended).toBe(0)
    await expect(fetch(`${endpoints.issuer}/livez`)).rejects.toThrow('fetch failed')
    const credentials = await readdir(`${state}/credentials`)
    expect(credentials.toSorted()).toEqual([
      'agent-billing-v2.json',
      'agent-research-v1.json',
      'agent-rival-v1.json',
      'agent-visitor-v1.json',
      'operator.json',
    ])
    const modes = await Promise.all(
      credentials.map(async (name) => (await stat(`${state}/credentials/${name}`)).mode & 0o077),
    )
    expect(modes).toEqual([0, 0, 0, 0, 0])

    await using second = await start(...FREE_PORTS, '--state-dir', state, '--json')
    await second.printed('Ctrl-C ends it')
    const before = second.events().find(({ type }) => type === 'ledger')
    expect(before).toMatchObject({
      accounts: expect.arrayContaining([
        expect.objectContaining({ account: 'income:research.brief' }),
      ]) as unknown,
    })
  })

  test('leaves no server behind when it is killed', TIMEOUT, async () => {
    await using demo = await start(...FREE_PORTS, '--json')
    await demo.printed('Ctrl-C ends it')
    const urls = demo
      .events()
      .filter(({ type }) => type === 'server')
      .map(({ url }) => z.url().parse(url))

    demo.child.kill('SIGKILL')
    await demo.ended

    // Each server ends by itself once it sees that its parent is gone: asked until it does.
    for (const url of urls) while (await fetch(`${url}/livez`).catch(() => undefined));
    expect(urls).toHaveLength(3)
  })

  test('says which port is taken and what to do about it', TIMEOUT, async () => {
    await using taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await using demo = await start(
      '--auth-port',
      '0',
      '--billing-port',
      String(port),
      '--research-port',
      '0',
    )

    expect(await demo.ended).toBe(1)
    expect(demo.stderr()).toBe(
      `deputy: Port ${String(port)} is already in use or may not be used. Stop what listens there, or choose another port: npm start -- --billing-port 0 (0 takes any free one).\n`,
    )
  })

  test.each([
    [['--auth-port', 'x'], 'A port is a whole number from 0 to 65535.'],
    [['--no-such-option'], "unknown option '--no-such-option'"],
  ])('refuses the arguments %j', TIMEOUT, async (args, complaint) => {
    await using demo = await start(...args)

    expect(await demo.ended).toBe(1)
    expect(demo.stderr()).toContain(complaint)
  })
})
