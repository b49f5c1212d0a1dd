import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeAgent } from '../../test-support/storage-adapters.ts'
import { resolveTarget } from './resolve-target.ts'

const bob = makeAgent({ id: 'agent-bob', scopesSupported: ['notes:read', 'notes:write'] })
const carol = makeAgent({ id: 'agent-carol', scopesSupported: ['notes:read', 'mail:send'] })
const dave = makeAgent({ id: 'agent-dave', scopesSupported: [] })
const alice = makeAgent({
  scopes: ['notes:read', 'mail:send', 'other:read'],
  audiences: ['agent-bob', 'agent-carol', 'agent-dave'],
})

/** The target as names. */
function toPlain(resolved: ReturnType<typeof resolveTarget>) {
  if (!resolved.ok) return resolved.refusal
  return { audience: resolved.value.agent.id, scopes: resolved.value.scopes }
}

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

    expect(toPlain(resolved)).toEqual(target)
  })

  test('needs no audience of a client that may call one agent', () => {
    const request = { client: alice, targets: [bob], audience: undefined, scopes: undefined }

    const resolved = resolveTarget(request)

    expect(toPlain(resolved)).toEqual({ audience: 'agent-bob', scopes: ['notes:read'] })
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
      message: /not have any scope at agent-dave/,
    },
    {
      name: 'an empty list of scopes, which never comes to mean all of them',
      audience: 'agent-bob',
      scopes: [],
      code: 'invalid_scope',
      message: /not have any scope at agent-bob/,
    },
  ])('refuses $name', ({ audience, code, message, scopes }) => {
    const targets = [bob, carol, dave]

    const resolved = resolveTarget({ client: alice, targets, audience, scopes })

    expect(resolved).toMatchObject({ ok: false, refusal: { code } })
    expect(!resolved.ok && resolved.refusal.message).toMatch(message)
  })

  test('grants what it may of what was asked for, where that is the policy', () => {
    const client = { ...alice, scopePolicy: 'partial' as const }
    const request = { client, targets: [bob], audience: 'agent-bob' }

    const some = resolveTarget({ ...request, scopes: ['notes:write', 'notes:read'] })
    const none = resolveTarget({ ...request, scopes: ['notes:write'] })

    expect(toPlain(some)).toEqual({ audience: 'agent-bob', scopes: ['notes:read'] })
    expect(none).toMatchObject({ ok: false, refusal: { code: 'invalid_scope' } })
  })

  test.each([
    ['https://bob.example/', true],
    ['HTTPS://BOB.example:443', true],
    ['https://bob.example/other', false],
    ['https://bob.example#part', false],
    ['bob.example', false],
    ['javascript:alert(1)', false],
  ])('knows the agent of resource=%s: %s', (resource, known) => {
    const targets = [{ ...bob, url: 'https://bob.example' }, carol]
    const request = {
      client: alice,
      targets,
      audience: undefined,
      scopes: ['notes:read'],
      resource,
    }

    const resolved = resolveTarget(request)

    expect(toPlain(resolved)).toMatchObject(
      known ? { audience: 'agent-bob' } : { code: 'invalid_target' },
    )
  })

  test('refuses audience and resource that name two agents', () => {
    const targets = [{ ...bob, url: 'https://bob.example' }, carol]
    const request = { client: alice, targets, audience: 'agent-carol', scopes: undefined }

    const resolved = resolveTarget({ ...request, resource: 'https://bob.example' })

    expect(resolved).toMatchObject({ ok: false, refusal: { code: 'invalid_target' } })
  })

  test("refuses another owner's agent that shares nothing, in the words for none", () => {
    // Attack: an owner lists the agents of another, and asks which of them are there.
    const foreign = { ...bob, ownerId: 'acme' }

    const hidden = resolveTarget({
      client: alice,
      targets: [foreign],
      audience: 'agent-bob',
      scopes: undefined,
    })
    const absent = resolveTarget({
      client: alice,
      targets: [],
      audience: 'agent-bob',
      scopes: undefined,
    })

    expect(hidden).toEqual(absent)
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
      client: fc
        .record({
          scopes: scopeList,
          audiences: fc.uniqueArray(id),
          scopePolicy: fc.constantFrom('exact', 'partial'),
        })
        .map((members) => makeAgent(members)),
      targets: fc.uniqueArray(
        fc
          .record({
            id,
            ownerId: fc.constantFrom('system', 'acme'),
            scopesSupported: scopeList,
            sharedScopes: scopeList,
            state: fc.constantFrom('active', 'inactive'),
          })
          .map((members) => makeAgent(members)),
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
        const { agent, scopes } = resolved.value
        const { client } = request
        expect(request.targets).toContain(agent)
        expect(agent.state).toBe('active')
        expect(client.audiences).toContain(agent.id)
        expect(request.audience ?? agent.id).toBe(agent.id)
        expect(scopes).not.toEqual([])
        for (const granted of scopes) {
          expect(client.scopes).toContain(granted)
          expect(agent.scopesSupported).toContain(granted)
          const open = agent.ownerId === client.ownerId ? agent.scopesSupported : agent.sharedScopes
          expect(open).toContain(granted)
          expect(request.scopes ?? scopes).toContain(granted)
        }
        // All of what was asked for or none of it, unless the client's policy takes less.
        const isAll = (request.scopes ?? scopes).length === scopes.length
        expect(isAll || client.scopePolicy === 'partial').toBe(true)
      }),
      { numRuns: 2000 },
    )

    expect(grants).toBeGreaterThan(100)
  })
})
