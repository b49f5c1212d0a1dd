import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { ClientError } from '../error/client-error.ts'
import { AccessToken } from './access-token.ts'
import { createApprovedToken } from './approved-token.ts'

/** An authorization server that gives a token of a minute for approval-1 with each request. */
function createHarness({ isNamed = true, expiresAfterSeconds = 60 } = {}) {
  const clock = createSettableClock()
  const asked: (string | undefined)[] = []
  const approved = createApprovedToken({
    clock,
    isWaitedFor: false,
    async request(approvalId) {
      asked.push(approvalId)
      const now = clock.now()
      return AccessToken.create(`token-${String(asked.length)}`, {
        type: 'Bearer',
        scopes: [],
        requestedAt: now,
        expiresAt: now + expiresAfterSeconds,
        approvalId: isNamed ? 'approval-1' : undefined,
      })
    },
  })
  return { approved, asked, clock }
}

describe('the token of an approved call', () => {
  test('is asked for once, until the second in which it ends; the next is for the same approval', async () => {
    const { approved, asked, clock } = createHarness()

    const first = await approved.get()
    clock.advance(59)
    const second = await approved.get()
    clock.advance(1)
    const third = await approved.get()

    expect(second).toBe(first)
    expect(third).not.toBe(first)
    expect(asked).toEqual([undefined, 'approval-1'])
  })

  test('is asked for again for the same approval once it was refused', async () => {
    const { approved, asked } = createHarness()
    await approved.get()

    expect(approved.discard()).toBe(true)
    await approved.get()

    expect(asked).toEqual([undefined, 'approval-1'])
  })

  test('is not replaced where nobody said which approval it is of: that would ask for another one', async () => {
    const { approved } = createHarness({ isNamed: false })
    await approved.get()

    expect(approved.discard()).toBe(false)
  })

  test('is the same for a call that is sent again after the approval was waited for', async () => {
    const clock = createSettableClock()
    const asked: (string | undefined)[] = []
    const approved = createApprovedToken({
      clock: {
        now: () => clock.now(),
        after(_, callback) {
          queueMicrotask(callback)
          return () => undefined
        },
      },
      isWaitedFor: true,
      async request(approvalId) {
        asked.push(approvalId)
        if (asked.length === 1) {
          throw new ClientError({ code: 'approval_pending', message: '', approvalId: 'approval-1' })
        }
        const requestedAt = clock.now()
        const facts = { type: 'Bearer', scopes: [], requestedAt, expiresAt: requestedAt } as const
        return AccessToken.create('token', facts)
      },
    })

    await approved.get()
    // Its life is not known: another one each time, and never another approval.
    await approved.get()

    expect(asked).toEqual([undefined, 'approval-1', 'approval-1'])
  })
})
