import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeAgent } from '../../test-support/storage-adapters.ts'
import { resolveTarget } from './resolve-target.ts'

const bob = makeAgent({ id: 'agent-bob', scopesSupported: ['notes:read', 'notes:write'] })
const carol = makeAgent({ id: 'agent-carol', scopesSupported: ['notes:read', 'mail:send'] })
const dave = makeAgent({ id: 'agent-dave', scopesSupported: [] })
const alice = makeAgent({ scopes: ['notes:read', 'mail:send', 'other:read'] })

describe('resolveTarget', () => {
  test.each([
    {
      name: 'gives what was asked for at the agent that was named',
      audience: 'agent-bob',
      scopes: ['notes:read'],
      target: { audience: 'agent-bob', scopes: ['notes:read'] },
    },
    {
      name: 'gives everything that both sides allow when no scope was named',
      audience: 'agent-carol',
      scopes: undefined,
      target: { audience: 'agent-carol', scopes: ['notes:read', 'mail:send'] },
    },
    {
      name: 'infers the only agent that knows all scopes',
      audience: undefined,
      scopes: ['mail:send', 'notes:read'],
      target: { audience: 'agent-carol', scopes: ['mail:send', 'notes:read'] },
    },
  ])('$name', ({ audience, scopes, target }) => {
    const resolved = resolveTarget({ client: alice, targets: [bob, carol], audience, scopes })

    expect(resolved).toEqual({ ok: true, value: target })
  })

  test('needs no audience of a client that may call one agent', () => {
    const request = { client: alice, targets: [bob], audience: undefined, scopes: undefined }

    const resolved = resolveTarget(request)

    expect(resolved).toEqual({ ok: true, value: { audience: 'agent-bob', scopes: ['notes:read'] } })
  })

  test.each([
    {
      name: 'an agent that the client may not call',
      audience: 'agent-mallory',
      scopes: ['notes:read'],
      code: 'invalid_target',
      message: /may not have a token for this audience/,
    },
    {
      name: 'a choice between several agents, naming them',
      audience: undefined,
      scopes: ['notes:read'],
      code: 'invalid_target',
      message: /audience=<id>.*agent-bob, agent-carol, agent-dave/,
    },
    {
      name: 'a scope that the target knows and the client may not have',
      audience: 'agent-bob',
      scopes: ['notes:read', 'notes:write'],
      code: 'invalid_scope',
      message: /notes:write/,
    },
    {
      name: 'a scope that the client may have and the target does not know',
      audience: 'agent-bob',
      scopes: ['mail:send'],
      code: 'invalid_scope',
      message: /mail:send/,
    },
    {
      name: 'a scope that no agent knows',
      audience: undefined,
      scopes: ['other:read'],
      code: 'invalid_scope',
      message: /other:read/,
    },
    {
      name: 'scopes that only two agents together know',
      audience: undefined,
      scopes: ['notes:write', 'mail:send'],
      code: 'invalid_scope',
      message: /knows all of/,
    },
    {
      name: 'everything where that is nothing',
      audience: 'agent-dave',
      scopes: undefined,
      code: 'invalid_scope',
      message: /no scope at agent-dave/,
    },
    {
      name: 'an empty list of scopes, which never comes to mean all of them',
      audience: 'agent-bob',
      scopes: [],
      code: 'invalid_scope',
      message: /no scope at agent-bob/,
    },
  ])('refuses $name', ({ audience, code, message, scopes }) => {
    const targets = [bob, carol, dave]

    const resolved = resolveTarget({ client: alice, targets, audience, scopes })

    expect(resolved).toMatchObject({ ok: false, refusal: { code } })
    expect(!resolved.ok && resolved.refusal.message).toMatch(message)
  })

  test('refuses a client that may call nobody', () => {
    const request = { client: alice, targets: [], audience: undefined, scopes: undefined }

    const resolved = resolveTarget(request)

    expect(resolved).toMatchObject({ ok: false, refusal: { code: 'invalid_target' } })
  })

  test('never grants more than client, target and request agree on, nor for another agent', () => {
    const scope = fc.constantFrom('a:read', 'a:write', 'b:read', 'b:write', 'c:read')
    const scopeList = fc.uniqueArray(scope)
    const id = fc.constantFrom('agent-b', 'agent-c', 'agent-d')
    const requests = fc.record({
      client: scopeList.map((scopes) => makeAgent({ scopes })),
      targets: fc.uniqueArray(
        fc.record({ id, scopesSupported: scopeList }).map((members) => makeAgent(members)),
        { selector: (agent) => agent.id },
      ),
      audience: fc.option(fc.oneof(id, fc.constant('agent-mallory')), { nil: undefined }),
      scopes: fc.option(scopeList, { nil: undefined }),
    })
    let grants = 0

    fc.assert(
      fc.property(requests, (request) => {
        const resolved = resolveTarget(request)
        if (!resolved.ok) return
        grants += 1
        const { audience, scopes } = resolved.value
        const target = request.targets.find((agent) => agent.id === audience)
        expect(target).toBeDefined()
        expect(request.audience ?? audience).toBe(audience)
        expect(scopes).not.toEqual([])
        for (const granted of scopes) {
          expect(request.client.scopes).toContain(granted)
          expect(target?.scopesSupported).toContain(granted)
          expect(request.scopes ?? scopes).toContain(granted)
        }
        // All of what was asked for or none of it: a caller is never left with less unawares.
        expect(scopes).toEqual(request.scopes ?? scopes)
      }),
      { numRuns: 1000 },
    )

    expect(grants).toBeGreaterThan(100)
  })
})
