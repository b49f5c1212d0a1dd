import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createAlice } from '../../../../test/support/alice.ts'
import { createTimedClock } from '../../../../test/support/settable-clock.ts'
import { accept, refuse } from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'
import { createRevocationCheck } from './revocation-check.ts'
import { createRevocationView, type Recheck } from './revocation-view.ts'

const alice = createAlice({ expiresAt: undefined })

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

test('after the grace, an issuer that lets every question run out of time keeps nobody', async () => {
  // Attack: whoever keeps an agent from its issuer swallows its questions, each of which then takes seconds. With
  // thousands of streams, one question after the other, those at the end would go on for hours.
  const { asked, ended, pass, view, watch } = createHarness()
  for (let at = 0; at < 100; at += 1) watch(String(at), broken)
  view.lost()
  await pass(6)
  asked.length = 0

  await pass(1)

  expect([asked.length, ended.length]).toEqual([3, 100])
})

test('one about whom nobody could be asked ends none of the others', async () => {
  const { ended, pass, view, watch } = createHarness()
  for (let at = 0; at < 10; at += 1) watch(String(at), at % 3 === 2 ? good : broken)
  view.lost()

  await pass(7)

  expect(ended.map(([name]) => name)).toEqual(['0', '1', '3', '4', '6', '7', '9'])
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
