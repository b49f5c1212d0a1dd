import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createTimedClock } from '../../../../test/support/settable-clock.ts'
import type { Principal } from '../principal.ts'
import { accept, refuse } from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'
import { createRevocationCheck } from './revocation-check.ts'
import { createRevocationView, type Recheck } from './revocation-view.ts'

const alice: Principal = {
  agentId: 'agent-alice-v1',
  subject: 'agent-alice-v1',
  audience: 'agent-billing-v2',
  scopes: ['billing:read'],
  priorActors: [],
  expiresAt: undefined,
  grantPath: ['token-1'],
  limits: [],
  credential: { kind: 'access_token', id: 'token-1' },
}

/** An agent that has just heard everything: a view counts for 60 seconds, and in the grace for 30 more. */
function createHarness() {
  const clock = createTimedClock()
  const view = createRevocationView({ clock })
  view.heard()
  const check = createRevocationCheck({
    view,
    clock,
    graceSeconds: 30,
    introspect: async () => refuse({ reason: 'verifier_unavailable', detail: 'gone' }),
  })
  const asked: string[] = []
  const ended: [string, CredentialRefusal['reason'] | undefined][] = []
  return {
    view,
    asked,
    ended,
    watch: (name: string, answer: Recheck) =>
      check.watch(
        alice,
        (refusal) => void ended.push([name, refusal?.reason]),
        async () => {
          asked.push(name)
          return answer()
        },
      ),
    /** So many times a quarter of a minute. */
    pass: async (times: number) => {
      for (let at = 0; at < times; at += 1) {
        clock.advance(15)
        await nextTurn()
      }
    },
  }
}

const good: Recheck = async () => accept(alice)
const revoked: Recheck = async () => refuse({ reason: 'token_revoked' })
const broken: Recheck = async () => Promise.reject(new Error('out of order'))

test('nobody is asked about while the feed is there, or a view is young enough', async () => {
  const { asked, pass, view, watch } = createHarness()
  watch('alice', revoked)

  await pass(10)
  view.heard()
  view.lost()
  await pass(4)

  expect(asked).toEqual([])
})

test('then everybody is, and those that are revoked end', async () => {
  const { asked, ended, pass, view, watch } = createHarness()
  watch('alice', good)
  watch('bob', revoked)
  const leave = watch('carol', revoked)
  leave()
  view.lost()

  await pass(5)

  expect([asked, ended]).toEqual([['alice', 'bob'], [['bob', 'token_revoked']]])
})

test('of whom nobody can say goes on in the grace, and no longer', async () => {
  const { ended, pass, view, watch } = createHarness()
  watch('alice', broken)
  watch('bob', async () => refuse({ reason: 'rate_limited', retryAfterSeconds: 1 }))
  view.lost()

  await pass(6)
  const inGrace = [...ended]
  await pass(1)

  expect(inGrace).toEqual([])
  expect(ended).toEqual([
    ['alice', 'verifier_unavailable'],
    ['bob', 'verifier_unavailable'],
  ])
})

test('nobody is asked about any more once the feed is back', async () => {
  const { asked, pass, view, watch } = createHarness()
  watch('alice', good)
  view.lost()
  // Each attempt to have it back.
  for (let at = 0; at < 5; at += 1) {
    view.lost()
    await pass(1)
  }
  const before = asked.length

  view.heard()
  await pass(10)

  expect([before, asked.length]).toEqual([1, 1])
})
