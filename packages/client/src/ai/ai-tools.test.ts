// Tools of a contract, against an agent that decides for itself.
import { createTRPCClient, httpLink } from '@trpc/client'
import { describe, expect, test } from 'vitest'
import {
  createGate,
  createTestRouter,
  startTestAgent,
  type TestAgent,
  type TestRouter,
} from '../../../../test/support/test-agent.ts'
import { aiTools, readToolContract, redactSecrets, ToolError } from './index.ts'

const CALL = { toolCallId: 'call-1', messages: [], context: {} }

function createTools(agent: TestAgent, token: string, scopes: readonly string[]) {
  const headers = { authorization: `Bearer ${token}` }
  return aiTools<TestRouter>()(['echo', 'pay'], {
    contract: createTestRouter(createGate()),
    client: createTRPCClient<TestRouter>({
      links: [httpLink({ url: `${agent.url}/trpc`, headers })],
    }),
    scopes,
    descriptions: { echo: 'Says the same.', pay: 'Pays.' },
  })
}

async function failureOf(run: () => unknown): Promise<ToolError> {
  try {
    await run()
  } catch (error) {
    if (error instanceof ToolError) return error
    throw error
  }
  throw new Error('the tool did not fail')
}

describe('tools of a contract', () => {
  test('answer what the procedure does, and say what it needs', async () => {
    await using agent = await startTestAgent()
    const token = await agent.token({ scope: 'billing:read' })
    const { echo } = createTools(agent, token, ['billing:read'])

    const said: unknown = await echo?.execute?.({ text: 'hello' }, CALL)

    expect(said).toBe('hello')
    expect(echo && readToolContract(echo)).toEqual({
      procedure: 'echo',
      type: 'query',
      scopes: ['billing:read'],
      approval: false,
    })
  })

  test('are listed only as far as the scopes reach', async () => {
    await using agent = await startTestAgent()

    expect(Object.keys(createTools(agent, 'x', ['billing:read']))).toEqual(['echo'])
    expect(Object.keys(createTools(agent, 'x', []))).toEqual([])
  })

  test('that are hidden from a token and called all the same are refused by the server', async () => {
    // Attack: the list is made for more than the token holds, as a model that names a hidden tool would have it.
    await using agent = await startTestAgent()
    const token = await agent.token({ scope: 'billing:read' })
    const { pay } = createTools(agent, token, ['billing:read', 'billing:write'])

    const failure = await failureOf(() => pay?.execute?.({ amountMinor: 1 }, CALL))

    expect(failure.code).toBe('scope_missing')
    expect(failure.message).toContain('Missing required scope: billing:write')
  })

  test('fail in words with no correlation id, no token and no cause', async () => {
    await using agent = await startTestAgent()
    const token = await agent.token({ scope: 'billing:read', exp: 1 })
    const { echo } = createTools(agent, token, ['billing:read'])

    const failure = await failureOf(() => echo?.execute?.({ text: 'hello' }, CALL))

    const shown = JSON.stringify([failure.message, failure, failure.cause ?? null])
    expect(failure.code).toBe('token_expired')
    expect(shown).not.toContain(token)
    expect(shown).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/)
  })

  test('cannot be made of what a contract does not have, or has as a stream', () => {
    const make = (path: string) => () =>
      aiTools<TestRouter>()([path as 'echo'], {
        contract: createTestRouter(createGate()),
        client: createTRPCClient<TestRouter>({ links: [httpLink({ url: 'http://127.0.0.1:1' })] }),
        scopes: ['billing:read'],
        descriptions: { echo: '' },
      })

    expect(make('nothing')).toThrow('the contract has no query or mutation nothing')
    expect(make('count')).toThrow('the contract has no query or mutation count')
  })
})

test.each([
  [`a token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.${'a'.repeat(40)}!`, 'a token [redacted]!'],
  [`a key cs-agent-${'a1'.repeat(24)}b`, 'a key [redacted]'],
  ['Authorization: Bearer abcdefghijklmnopqrst', 'Authorization: Bearer [redacted]'],
  ['a bearer of news', 'a bearer of news'],
])('of %j a model reads %j', (text, shown) => {
  expect(redactSecrets(text)).toBe(shown)
})
