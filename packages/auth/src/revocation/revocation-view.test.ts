import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import type { Principal } from '../principal.ts'
import type { RevokedEntry } from '../protocol/index.ts'
import { createRevocationView } from './revocation-view.ts'

const NOW = 1_800_000_000

const deny = (id: string, members: Partial<RevokedEntry> = {}): RevokedEntry => ({
  kind: 'grant',
  id,
  expiresAt: NOW + 900,
  ...members,
})

const makePrincipal = (members: Partial<Principal> = {}): Principal => ({
  agentId: 'agent-bob',
  subject: 'agent-alice',
  audience: 'agent-carol',
  scopes: [],
  priorActors: ['agent-dave'],
  expiresAt: NOW + 300,
  grantPath: ['credential', 'task', 'token-1', 'token-2'],
  limits: [],
  credential: { kind: 'access_token', id: 'token-2' },
  ...members,
})

function createHarness(maxEntries?: number) {
  const clock = createSettableClock(NOW)
  return { clock, view: createRevocationView({ clock, maxEntries }) }
}

describe('the view', () => {
  test.each(['credential', 'task', 'token-1', 'token-2'])(
    'denies a caller that stands on what was revoked: %s',
    (id) => {
      const { view } = createHarness()
      expect(view.isDenied(makePrincipal())).toBe(false)

      view.apply([deny('something-else'), deny(id)])

      expect(view.isDenied(makePrincipal())).toBe(true)
    },
  )

  test.each(['agent-alice', 'agent-bob', 'agent-dave'])(
    'denies a caller in whose chain an agent was ended: %s',
    (id) => {
      const { view } = createHarness()

      view.apply([deny(id, { kind: 'agent' })])

      expect(view.isDenied(makePrincipal())).toBe(true)
    },
  )

  // The attack: a token revoked in the middle of a batch, whose first call had found nothing.
  test.each(['grant', 'agent'] as const)(
    'denies from now on whom it has just found clear: %s',
    (kind) => {
      const { view } = createHarness()
      const caller = makePrincipal()
      expect([view.isDenied(caller), view.isDenied(caller)]).toEqual([false, false])

      view.apply([deny(kind === 'grant' ? 'task' : 'agent-dave', { kind })])
      expect([view.isDenied(caller), view.isDenied(caller)]).toEqual([true, true])
      view.beginSnapshot()
      expect(view.isDenied(caller)).toBe(true)
      view.heard()
      expect(view.isDenied(caller)).toBe(false)

      view.beginSnapshot()
      view.apply([deny('task')])
      view.heard()
      expect(view.isDenied(caller)).toBe(true)
    },
  )

  // The attack: a token revoked after it was checked, while its call waited for a limiter.
  test('tells who begins to watch when the denial is there already, and not who has left again', async () => {
    const { view } = createHarness()
    const onDenied = vi.fn<() => void>()
    const onLeft = vi.fn<() => void>()
    view.apply([deny('task')])

    view.watch(makePrincipal(), onDenied)
    view.watch(makePrincipal(), onLeft)()

    expect(onDenied).not.toHaveBeenCalled()
    await Promise.resolve()
    expect(onDenied).toHaveBeenCalledOnce()
    expect(onLeft).not.toHaveBeenCalled()
  })

  test('denies nobody for a change', () => {
    const { view } = createHarness()

    for (const id of ['agent-alice', 'token-2']) {
      view.apply([{ kind: 'change', id, expiresAt: NOW + 900 }])
    }

    expect([view.isDenied(makePrincipal()), view.size]).toEqual([false, 0])
  })

  test('does not take the name of an agent for the id of a grant', () => {
    // Attack: somebody names an agent like a token, and has it deactivated.
    const { view } = createHarness()

    view.apply([deny('token-1', { kind: 'agent' }), deny('agent-bob')])

    expect(view.isDenied(makePrincipal())).toBe(false)
  })

  test('forgets what has ended, and not a minute of what has not', () => {
    const { clock, view } = createHarness()
    view.apply([deny('token-1', { expiresAt: NOW + 100 }), deny('token-2')])

    clock.advance(99)
    view.heard()
    expect(view.size).toBe(2)
    clock.advance(200)
    view.heard()

    expect(view.size).toBe(1)
    expect(view.isDenied(makePrincipal({ grantPath: ['token-2'] }))).toBe(true)
  })

  test('keeps the later end of what is denied twice, in whichever order that is heard', () => {
    const { clock, view } = createHarness()
    view.apply([deny('token-1', { expiresAt: NOW + 600 })])
    view.apply([deny('token-1', { expiresAt: NOW + 60 })])

    clock.advance(300)
    view.heard()

    expect(view.isDenied(makePrincipal())).toBe(true)
  })

  test('counts what it knew until a snapshot is complete, and only the snapshot after', () => {
    const { view } = createHarness()
    view.apply([deny('token-1')])
    view.heard()

    view.beginSnapshot()
    view.apply([deny('token-9')])
    expect(view.isDenied(makePrincipal())).toBe(true)
    view.heard()

    expect(view.isDenied(makePrincipal())).toBe(false)
    expect(view.isDenied(makePrincipal({ grantPath: ['token-9'] }))).toBe(true)
  })

  test('says when it last heard everything, and nothing once there is too much to know', () => {
    const { clock, view } = createHarness(2)
    expect(view.heardAt).toBeUndefined()

    view.heard()
    clock.advance(10)
    view.apply([deny('a'), deny('b')])
    expect(view.heardAt).toBe(NOW)
    view.apply([deny('c')])

    expect(view.heardAt).toBeUndefined()
    expect(view.isDenied(makePrincipal({ grantPath: ['c'] }))).toBe(true)
  })

  test('tells those who watch, once, and nobody who has stopped', () => {
    const { view } = createHarness()
    const [denied, stopped, other] = [vi.fn<() => void>(), vi.fn<() => void>(), vi.fn<() => void>()]
    view.watch(makePrincipal(), denied)
    view.watch(makePrincipal(), stopped)()
    view.watch(makePrincipal({ grantPath: ['token-9'] }), other)

    view.apply([deny('token-1')])
    view.apply([deny('token-2')])

    expect([denied, stopped, other].map((each) => each.mock.calls.length)).toEqual([1, 0, 0])
  })

  test('never lets a denied caller pass before its denial ends', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd')
    const step = fc.oneof(
      fc.record({ entry: fc.record({ id, seconds: fc.integer({ min: 1, max: 200 }) }) }),
      fc.record({ advance: fc.integer({ min: 0, max: 90 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { clock, view } = createHarness()
        const ends = new Map<string, number>()
        for (const each of steps) {
          if ('advance' in each) {
            clock.advance(each.advance)
            view.heard()
          } else {
            const expiresAt = clock.now() + each.entry.seconds
            ends.set(each.entry.id, Math.max(expiresAt, ends.get(each.entry.id) ?? 0))
            view.apply([deny(each.entry.id, { expiresAt })])
          }
          for (const [name, end] of ends) {
            if (end <= clock.now()) continue
            expect(view.isDenied(makePrincipal({ grantPath: ['root', name] }))).toBe(true)
          }
        }
      }),
    )
  })
})

describe('counting who would be denied', () => {
  const count = (grants: string[], agents: string[] = []): number => {
    const { view } = createHarness()
    view.watch(makePrincipal(), () => undefined)
    view.watch(makePrincipal(), () => undefined)
    view.watch(makePrincipal({ grantPath: ['other'], subject: 'agent-eve' }), () => undefined)
    view.watch(makePrincipal(), () => undefined)()
    return view.countWatched({ grants, agents })
  }

  type Case = [what: string, grants: string[], agents: string[], expected: number]

  test.each<Case>([
    ['a grant of the path', ['task'], [], 2],
    ['the subject', [], ['agent-alice'], 2],
    ['who acts', [], ['agent-bob'], 3],
    ['who acted before', [], ['agent-dave'], 3],
    ['several things that one caller stands on', ['task', 'token-1'], ['agent-alice'], 2],
    ['nothing that anybody stands on', ['token-9'], ['agent-carol'], 0],
    ['an agent named as a grant', ['agent-alice'], ['task'], 0],
  ])('counts the callers that are under way, for %s', (...[, grants, agents, expected]) => {
    expect(count(grants, agents)).toBe(expected)
  })

  test('denies nobody by it', () => {
    const { view } = createHarness()
    const onDenied = vi.fn<() => void>()
    view.watch(makePrincipal(), onDenied)

    view.countWatched({ grants: ['task'], agents: [] })

    expect(onDenied).not.toHaveBeenCalled()
    expect(view.isDenied(makePrincipal())).toBe(false)
  })
})
